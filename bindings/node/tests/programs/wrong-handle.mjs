// Calls methods on what is no log.
import assert from 'node:assert/strict';
import { Cursor, Follower, Log, RecordBatch, Values, open } from 'libwal';

const log = await open(process.argv[2]);
const prototypes = [Log, Cursor, Follower, RecordBatch, Values].map((kind) => kind.prototype);
let count = 0;
for (const prototype of prototypes) {
  for (const name of Reflect.ownKeys(prototype)) {
    const { value, get } = Object.getOwnPropertyDescriptor(prototype, name);
    const call = get ?? value;
    if (typeof call !== 'function' || name === 'constructor') continue;
    for (const self of [{}, null, undefined, 5, Object.create(prototype), log.values]) {
      try {
        const outcome = call.call(self, 1n, 'x');
        await Promise.resolve(outcome).catch(() => {});
        if (outcome?.next) await Promise.resolve(outcome.next()).catch(() => {});
      } catch (error) {
        assert.ok(error instanceof Error);
      }
      count++;
    }
  }
}
assert.throws(() => new Log(), { code: 'ERR_WAL_INVALID' });
assert.throws(() => Log(), TypeError);
await log.close();
console.log('survived', count > 100);
