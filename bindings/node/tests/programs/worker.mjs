// A worker thread with everything in flight, for as long as it is let live.
import { parentPort, workerData } from 'node:worker_threads';
import { open, setLogger } from 'libwal';

setLogger(() => {}, { level: 'trace' });
const log = await open(workerData.directory, { lockWaitMs: 10_000, ringBytes: 65536 });
const follow = async () => {
  for await (const record of log.cursor({ from: 'end', follow: true })) void record;
};
follow();
log.onDurable(() => {});
const append = async () => {
  for (;;) {
    const record = Buffer.alloc(20_000, 'x');
    await Promise.all([log.append(record), log.appendBatch([record, record]), log.read(1n).catch(() => {})]);
  }
};
for (let n = 0; n < 8; n++) append();
await log.append('first');
parentPort.postMessage(String(log.lastLsn));
