// What the same work costs in Node: `wal-bench languages` asks (see bench/README.md).
//
// Reads lines `WORKLOAD DIRECTORY`, answers with `RECORDS NANOSECONDS` or `none`.
import readline from 'node:readline';
import { open } from 'libwal';

const RECORD = Buffer.alloc(100, 'r');
const BATCH = Array.from({ length: 1000 }, () => RECORD);
const PACKED = packed(BATCH);
const BURST = 20_000;
const BURSTS = 20;
const READ = 100_000;
const PASSES = 3;
const DURABLE = 300;
const ASYNC = 40_000;
const IN_FLIGHT = 256;

const WORKLOADS = {
  append: (log) => bursts(log, BURST, () => log.appendSync(RECORD)),
  batch: (log) => bursts(log, BURST / BATCH.length, () => log.appendBatchSync(BATCH)),
  packed: (log) => bursts(log, BURST / BATCH.length, () => log.appendPackedSync(PACKED)),
  read: (log) =>
    reads(log, () => {
      const cursor = log.cursor();
      let bytes = 0;
      for (let batch = cursor.readBatchSync(1000); batch.length > 0; batch = cursor.readBatchSync(1000)) {
        for (const record of batch) bytes += record.data.length;
      }
      return bytes / RECORD.length;
    }),
  'read-packed': (log) =>
    reads(log, () => {
      const cursor = log.cursor();
      let records = 0;
      for (let batch = cursor.readBatchSync(2000); batch.length > 0; batch = cursor.readBatchSync(2000)) {
        records += batch.length;
      }
      return records;
    }),
  durable: (log) => timed(DURABLE, () => {
    for (let n = 0; n < DURABLE; n++) log.appendSync(RECORD);
  }),
  async: (log) => timed(ASYNC, async () => {
    const promises = new Array(IN_FLIGHT);
    for (let n = 0; n < ASYNC; n++) {
      await promises[n % IN_FLIGHT];
      promises[n % IN_FLIGHT] = log.append(RECORD);
    }
    await Promise.all(promises);
  }),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [workload, directory] = line.split(/ (.*)/s);
  const work = WORKLOADS[workload];
  const level = workload === 'durable' || workload === 'async' ? 'disk' : 'buffered';
  if (!work) {
    console.log('none');
    continue;
  }
  const log = await open(directory, { level });
  const [records, taken] = await work(log);
  await log.close();
  console.log(`${records} ${taken}`);
}

async function timed(records, work) {
  const started = process.hrtime.bigint();
  await work();
  return [records, process.hrtime.bigint() - started];
}

/** Bursts that fit into memory: what the disk does in between is not counted. */
async function bursts(log, calls, call) {
  let taken = 0n;
  for (let burst = 0; burst < BURSTS; burst++) {
    const started = process.hrtime.bigint();
    for (let n = 0; n < calls; n++) call();
    taken += process.hrtime.bigint() - started;
    await log.sync();
  }
  return [BURSTS * BURST, taken];
}

async function reads(log, work) {
  for (let n = 0; n < READ / BATCH.length; n++) log.appendBatchSync(BATCH);
  await log.sync();
  return timed(PASSES * READ, () => {
    for (let pass = 0; pass < PASSES; pass++) {
      const found = work();
      if (found !== READ) throw new Error(`${found} of ${READ} records were read`);
    }
  });
}

function packed(records) {
  const size = (record) => 16 + Math.ceil(record.length / 8) * 8;
  const bytes = Buffer.alloc(records.reduce((sum, record) => sum + size(record), 0));
  let at = 0;
  for (const record of records) {
    bytes.writeUInt32LE(record.length, at);
    record.copy(bytes, at + 16);
    at += size(record);
  }
  return bytes;
}
