// Appends until it is killed, and tells of each acknowledgement.
import fs from 'node:fs';
import { open } from 'libwal';

const log = await open(process.argv[2], { lockWaitMs: 5000 });
const tell = (lsn) => fs.writeSync(1, `${lsn}\n`);
for (;;) {
  const appends = Array.from({ length: 20 }, () => log.append(`record ${log.nextLsn}`).then(tell));
  await Promise.all(appends);
}
