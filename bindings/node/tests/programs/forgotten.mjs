// Forgets an open log, collects garbage, and opens it again.
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'libwal';

const [directory] = process.argv.slice(2);
process.on('warning', (warning) => console.log(warning.code, warning.message.includes(directory)));

async function forget() {
  const log = await open(directory);
  // Not waited for: the log has to live until it is done.
  log.append('appended and forgotten').then((lsn) => console.log('appended', lsn));
}

async function forgetClosed() {
  const log = await open(`${directory}-closed`);
  await log.close();
}

await forget();
await forgetClosed();
for (let n = 0; n < 50; n++) {
  globalThis.gc();
  await sleep(10);
}
const log = await open(directory, { lockWaitMs: 10_000 });
console.log('again', log.lastLsn, log.recovery.kind);
await log.close();
