// The same for `import`.
import libwal from './index.js';

export const {
  open,
  openSync,
  destroy,
  destroySync,
  info,
  infoSync,
  verify,
  verifySync,
  repair,
  repairSync,
  setLogger,
  version,
  Log,
  Cursor,
  Follower,
  RecordBatch,
  WalRecord,
  WalError,
  Values,
} = libwal;

export default libwal;
