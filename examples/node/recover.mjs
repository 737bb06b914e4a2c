// Kills a writer in the middle of its work and opens what it left: everything it was told to be on
// disk is there.
//
//     node recover.mjs DIRECTORY
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { open } from 'libwal';

const directory = process.argv[2] ?? 'events.wal';

if (process.send !== undefined) {
  // The writer: appends until it is killed, and tells of each acknowledgement.
  const log = await open(directory);
  for (;;) process.send(String(await log.append(`event ${log.nextLsn}`)));
}

const writer = fork(fileURLToPath(import.meta.url), [directory]);
let acknowledged = 0n;
writer.on('message', (lsn) => {
  acknowledged = BigInt(lsn);
  if (acknowledged >= 100n) writer.kill('SIGKILL');
});
await new Promise((resolve) => writer.once('close', resolve));

const log = await open(directory);
console.log(`acknowledged to ${acknowledged}, found to ${log.lastLsn}: ${log.recovery.kind}`);
if (log.lastLsn < acknowledged) throw new Error('acknowledged records are lost');
let count = 0n;
for await (const record of log.cursor()) {
  if (record.data.toString() !== `event ${record.lsn}`) throw new Error('another record');
  count++;
}
console.log(`all ${count > 0n && count === log.lastLsn ? '' : 'not '}as they were appended`);
await log.close();
