// The installed package through `import`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import libwal, { WalError, open, version } from 'libwal';

assert.equal(process.env.LIBWAL_NATIVE_PATH, undefined);
assert.equal(version, (await import('libwal/package.json', { with: { type: 'json' } })).default.version);
assert.equal(libwal.open, open);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'libwal-packed-'));
const log = await open(path.join(scratch, 'log'));
assert.equal(await log.append('packed'), 1n);
await assert.rejects(log.read(2n), WalError);
await log.close();
fs.rmSync(scratch, { recursive: true });
console.log(`imported ${version}`);
