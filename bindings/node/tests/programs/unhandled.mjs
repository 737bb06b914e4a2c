// Nobody handles the error of a call.
import { open } from 'libwal';

const log = await open(process.argv[2]);
log.read(99n);
