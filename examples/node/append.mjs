// Appends a few records and reads them back. When `append` resolves, the record is on disk.
//
//     node append.mjs DIRECTORY
import { open } from 'libwal';

const log = await open(process.argv[2] ?? 'events.wal');
try {
  for (const event of ['order placed', 'order paid', 'order shipped']) {
    const lsn = await log.append(event);
    const record = await log.read(lsn);
    console.log(`${record.lsn}: ${record.data}`);
  }
} finally {
  // Closing syncs whatever is left and tells whether that worked. From Node 24 on (and with
  // TypeScript) `await using log = await open(...)` does it.
  await log.close();
}
