// Appends batches, which are there as a whole or not at all after a crash, and many single records
// at once, which share their syncs.
//
//     node batch.mjs DIRECTORY
import { open } from 'libwal';

const log = await open(process.argv[2] ?? 'events.wal');
try {
  const { first, last } = await log.appendBatch(['debit alice 5', 'credit bob 5']);
  console.log(`transfer: ${first} to ${last}`);

  // All of them are in flight together: hundreds of records cost one sync.
  const lsns = await Promise.all(
    Array.from({ length: 500 }, (_, number) => log.append(`event ${number}`)),
  );
  const { counters } = await log.stats();
  console.log(`events: ${lsns[0]} to ${lsns.at(-1)}, in ${counters.syncs < 100n ? 'few' : 'many'} syncs`);

  for await (const record of log.cursor({ from: first })) {
    if (record.lsn > last) break;
    console.log(`${record.lsn}: ${record.data}${record.batchContinues ? ' (and more)' : ''}`);
  }
} finally {
  await log.close();
}
