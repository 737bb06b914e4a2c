// Each call of the package by itself, with tinybench and records of 100 bytes. Prints one JSON object.
//
//     node calls.mjs DIRECTORY
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bench } from 'tinybench';
import { open, version } from 'libwal';
import { BATCH, READ, RECORD, expect } from './asked.mjs';
import { packed } from './packed.mjs';

const PACKED = packed(BATCH);
const TIME_MS = Number(process.env.BENCH_MS ?? 1500);

const scratch = fs.mkdtempSync(path.join(process.argv[2] ?? os.tmpdir(), 'libwal-bench-'));
const logs = [];
const bench = new Bench({ time: TIME_MS, warmupTime: TIME_MS / 5, throws: true });
/** How many records each call is about. */
const records = new Map();

function call(name, count, work) {
  records.set(name, count);
  bench.add(name, work);
}

async function place(name, options) {
  const log = await open(path.join(scratch, name), options);
  logs.push(log);
  return log;
}

for (const level of ['buffered', 'os', 'disk']) {
  const log = await place(level, { level, maxBytes: 1 << 28, atCapacity: 'trimOldest' });
  call(`appendSync, ${level}`, 1, () => log.appendSync(RECORD));
  call(`append, awaited, ${level}`, 1, () => log.append(RECORD));
  call(`appendBatchSync of 1000, ${level}`, BATCH.length, () => log.appendBatchSync(BATCH));
  call(`appendPackedSync of 1000, ${level}`, BATCH.length, () => log.appendPackedSync(PACKED));
}
const durable = await place('lanes');
for (const lanes of [256, 1024]) {
  call(`append, ${lanes} in flight`, lanes * 16, () => inLanes(lanes, 16, () => durable.append(RECORD)));
}
const full = await place('full', { level: 'buffered' });
for (let n = 0; n < READ / BATCH.length; n++) full.appendBatchSync(BATCH);
await full.sync();
let lsn = 0;
call('readSync', 1, () => full.readSync(1 + (lsn = (lsn + 7919) % READ)));
call('for await over a cursor', READ, async () => {
  let bytes = 0;
  for await (const record of full.cursor()) bytes += record.data.length;
  expect(bytes, READ * RECORD.length);
});
call('for await over batches', READ, async () => {
  let bytes = 0;
  for await (const batch of full.cursor().batches()) {
    for (let at = 0; at < batch.length; at++) bytes += batch.data(at).length;
  }
  expect(bytes, READ * RECORD.length);
});

await bench.run();
const results = bench.tasks.map(({ name, result: { latency } }) => ({
  call: name,
  ns_per_record: Math.round((latency.mean * 1e6) / records.get(name)),
  p99_ns_per_record: Math.round((latency.p99 * 1e6) / records.get(name)),
  rounds: latency.samplesCount,
}));
console.log(JSON.stringify({ version, node: process.version, cpus: os.cpus().length, results }, null, 2));
await Promise.all(logs.map((log) => log.close()));
fs.rmSync(scratch, { recursive: true });

/** Keeps so many appends in flight until each of the lanes has had so many. */
async function inLanes(lanes, each, append) {
  const lane = async () => {
    for (let n = 0; n < each; n++) await append();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
