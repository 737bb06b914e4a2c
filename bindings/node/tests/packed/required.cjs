// The installed package through `require`; both ways lead to one module.
const assert = require('node:assert/strict');
const libwal = require('libwal');

assert.equal(typeof libwal.openSync, 'function');
import('libwal').then((imported) => {
  assert.equal(imported.WalError, libwal.WalError);
  console.log(`required ${libwal.version}`);
});
