// Follows a log while it is written, as a consumer in another process would.
//
//     node follow.mjs DIRECTORY
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'libwal';

const directory = process.argv[2] ?? 'events.wal';
const log = await open(directory);

// A reader needs no lock: this could as well be another process, or a worker thread.
const reader = await open(directory, { readOnly: true });
const stop = new AbortController();
const follower = reader.cursor({ from: 'end', follow: true, signal: stop.signal });
// From here on nothing is missed.
await follower.nextLsn();

async function consume() {
  try {
    for await (const record of follower) console.log(`${record.lsn}: ${record.data}`);
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}

const consuming = consume();
for (let number = 1; number <= 5; number++) {
  await log.append(`event ${number}`);
  await sleep(20);
}
await sleep(100);
stop.abort();
await consuming;
await Promise.all([reader.close(), log.close()]);
