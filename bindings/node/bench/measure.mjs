// What the same work costs in Node: `wal-bench languages` asks (see bench/README.md).
import { open } from 'libwal';
import {
  ASYNC, BATCH, BURST, BURSTS, DURABLE, DURABLE_BATCHES, OS, PASSES, READ, RECORD, expect,
  inFlight, serve, timed,
} from './asked.mjs';
import { packed } from './packed.mjs';

const PACKED = packed(BATCH);
const LEVELS = { os: 'os', durable: 'disk', 'durable-batch': 'disk', async: 'disk' };

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
  os: (log) =>
    timed(OS, () => {
      for (let n = 0; n < OS; n++) log.appendSync(RECORD);
    }),
  durable: (log) =>
    timed(DURABLE, () => {
      for (let n = 0; n < DURABLE; n++) log.appendSync(RECORD);
    }),
  'durable-batch': (log) =>
    timed(DURABLE_BATCHES * BATCH.length, () => {
      for (let n = 0; n < DURABLE_BATCHES; n++) log.appendBatchSync(BATCH);
    }),
  async: (log) => timed(ASYNC, () => inFlight(() => log.append(RECORD))),
};

await serve(async (workload, directory) => {
  const work = WORKLOADS[workload];
  if (!work) return undefined;
  const log = await open(directory, { level: LEVELS[workload] ?? 'buffered' });
  const answer = await work(log);
  await log.close();
  return answer;
});

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
    for (let pass = 0; pass < PASSES; pass++) expect(work(), READ);
  });
}
