// The same package through `require`.

import libwal = require('libwal');

export async function uses(path: string): Promise<bigint> {
  const log: libwal.Log = await libwal.open(path);
  const lsn = await log.append('text');
  await log.close();
  return lsn;
}
