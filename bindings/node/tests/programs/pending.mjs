// Ends its main module with appends in flight, and in the way its argument says.
import { open } from 'libwal';

const [directory, how] = process.argv.slice(2);
const log = await open(directory);
const appends = Array.from({ length: 100 }, (_, n) => log.append(`record ${n}`));
let acknowledged = 0;
for (const append of appends) append.then(() => acknowledged++).catch(() => {});
process.on('exit', () => console.log('acknowledged', acknowledged));
switch (how) {
  case 'return':
    // An open log and pending appends: they are waited for, the log is not.
    break;
  case 'exit':
    process.exit(0);
    break;
  case 'throw':
    throw new Error('meant');
  case 'closing':
    log.close();
    process.exit(0);
    break;
  case 'following':
    // A loop over what comes keeps the process alive, until it is told to stop.
    setTimeout(() => stop.abort(), 200);
    break;
}
const stop = new AbortController();
if (how === 'following') {
  try {
    for await (const record of log.cursor({ from: 'end', follow: true, signal: stop.signal })) void record;
  } catch (error) {
    console.log(error.name);
  }
}
