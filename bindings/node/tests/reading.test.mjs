import assert from 'node:assert/strict';
import { test } from 'node:test';

import { code, collect, opened, text, wrongType } from './scratch.mjs';

const some = async (t, count = 10, options) => {
  const log = await opened(t, options);
  await log.appendBatch(Array.from({ length: count }, (_, index) => `record ${index + 1}`));
  return log;
};

test('what is no LSN and no position is refused', async (t) => {
  const log = await some(t);
  for (const wrong of [undefined, null, '1', {}, true]) {
    await assert.rejects(log.read(wrong), wrongType);
    assert.throws(() => log.readSync(wrong), wrongType);
  }
  for (const wrong of [-1n, 2n ** 64n, 1.5, NaN, -1, 0n, 2n ** 63n]) {
    await assert.rejects(log.read(wrong), code('ERR_WAL_INVALID'));
    assert.throws(() => log.readSync(wrong), code('ERR_WAL_INVALID'));
  }
  for (const wrong of [null, 'middle', {}, true]) {
    assert.throws(() => log.cursor({ from: wrong }), wrongType);
  }
  assert.throws(() => log.cursor({ form: 1n }), wrongType);
  assert.throws(() => log.cursor({ signal: {} }), wrongType);
  assert.throws(() => log.cursor({ batchBytes: 0 }), code('ERR_WAL_INVALID'));
  assert.throws(() => log.cursor({ follow: true, reverse: true }), code('ERR_WAL_INVALID'));
});

test('records that are not there say why', async (t) => {
  const log = await some(t);
  await assert.rejects(log.read(11n), code('ERR_WAL_NOT_FOUND'));
  await log.trim(4n);
  await assert.rejects(log.read(1n), (error) => {
    assert.equal(error.lsn, 4n);
    return code('ERR_WAL_TRIMMED')(error);
  });
  await assert.rejects(log.cursor({ from: 2n }).next(), code('ERR_WAL_TRIMMED'));
  await assert.rejects(collect(log.cursor({ from: 20n })), code('ERR_WAL_NOT_FOUND'));
});

test('a cursor whose records are cut off is told once', async (t) => {
  const log = await some(t);
  const cursor = log.cursor({ from: 'end' });
  assert.equal(await cursor.next(), null);
  await log.truncate(5n);
  await assert.rejects(cursor.next(), code('ERR_WAL_TRUNCATED'));
  await log.append('another 6');
  assert.equal(text(await cursor.next()), 'another 6');
});

test('a cursor is used by one call at a time', async (t) => {
  const cursor = (await some(t)).cursor();
  const first = cursor.next();
  await assert.rejects(cursor.next(), code('ERR_WAL_INVALID'));
  assert.throws(() => cursor.nextSync(), code('ERR_WAL_INVALID'));
  assert.equal(text(await first), 'record 1');
  assert.equal(text(cursor.nextSync()), 'record 2');
});

test('onwards, backwards, and from any place', async (t) => {
  const log = await some(t, 5);
  const all = ['record 1', 'record 2', 'record 3', 'record 4', 'record 5'];
  assert.deepEqual((await collect(log.cursor())).map(text), all);
  assert.deepEqual([...log.cursor()].map(text), all);
  assert.deepEqual((await collect(log.cursor({ reverse: true }))).map(text), all.toReversed());
  assert.deepEqual([...log.cursor({ reverse: true, from: 3 })].map(text), ['record 2', 'record 1']);
  assert.deepEqual((await collect(log.cursor({ from: 4n }))).map(text), all.slice(3));
  assert.deepEqual(await collect(log.cursor({ from: 'end' })), []);
  const cursor = log.cursor({ from: 2 });
  assert.equal(await cursor.nextLsn(), 2n);
  assert.equal(text(await cursor.next()), 'record 2');
  assert.equal(await cursor.time(), await log.timeOf(2n));
  assert.equal(text(await cursor.prev()), 'record 2');
  assert.equal(text(cursor.prevSync()), 'record 1');
  assert.equal(await cursor.prev(), null);
  await cursor.seek('end');
  assert.equal(cursor.nextSync(), null);
  cursor.seekSync(5n);
  assert.equal(cursor.nextLsnSync(), 5n);
});

test('whoever leaves a loop goes on behind the last record seen', async (t) => {
  const log = await some(t, 100);
  const cursor = log.cursor({ batchRecords: 10 });
  for await (const record of cursor) if (record.lsn === 13n) break;
  assert.equal((await cursor.next()).lsn, 14n);
  for (const record of cursor) if (record.lsn === 25n) break;
  const rest = await collect(cursor);
  assert.equal(rest[0].lsn, 26n);
  assert.equal(rest.length, 75);
  await log.append('one more');
  assert.deepEqual((await collect(cursor)).map(text), ['one more']);
});

test('an iterator that is asked ahead of its answers gives each record once', async (t) => {
  const log = await some(t, 20);
  const iterator = log.cursor({ batchRecords: 3 })[Symbol.asyncIterator]();
  const answers = await Promise.all(Array.from({ length: 22 }, () => iterator.next()));
  assert.deepEqual(
    answers.map(({ done, value }) => (done ? 'done' : value.lsn)),
    [...Array.from({ length: 20 }, (_, index) => BigInt(index + 1)), 'done', 'done'],
  );
});

test('whoever leaves a loop and finds the place trimmed is told by the next call', async (t) => {
  const log = await some(t, 100);
  const cursor = log.cursor();
  for await (const record of cursor) {
    if (record.lsn < 5n) continue;
    await log.trim(50n);
    break;
  }
  await assert.rejects(cursor.next(), code('ERR_WAL_TRIMMED'));
});

test('batches hold their records in one piece of memory', async (t) => {
  const log = await some(t, 1000);
  const batches = await collect(log.cursor({ batchRecords: 300 }).batches());
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [300, 300, 300, 100],
  );
  const [batch] = batches;
  assert.equal(batch.lsn(299), 300n);
  assert.equal(batch.data(299).toString(), 'record 300');
  assert.equal(batch.data(0).buffer, batch.data(299).buffer);
  assert.deepEqual(batch.record(7), [...batch][7]);
  assert.throws(() => batch.data(300), RangeError);
  assert.throws(() => batch.lsn(-1), RangeError);
  const cursor = log.cursor();
  assert.equal(cursor.readBatchSync(7).length, 7);
  assert.equal((await cursor.readBatch(5)).lsn(0), 8n);
  await assert.rejects(cursor.readBatch(0), code('ERR_WAL_INVALID'));
});

test('what was read stays when the log goes on, is trimmed and closed', async (t) => {
  const log = await some(t, 50, { segmentBytes: 65536 });
  const records = await collect(log.cursor());
  const batch = log.cursor().readBatchSync();
  await log.trim(log.nextLsn);
  await log.close();
  assert.deepEqual(
    records.map(text),
    [...batch].map(text),
  );
});

test('records by their LSNs, up to the first that is not there', async (t) => {
  const log = await some(t);
  assert.deepEqual((await collect(log.readMany([3n, 1, 2n, 3]))).map(text), [
    'record 3',
    'record 1',
    'record 2',
    'record 3',
  ]);
  const seen = [];
  const read = async () => {
    for await (const record of log.readMany([2n, 99n, 1n])) seen.push(text(record));
  };
  await assert.rejects(read(), code('ERR_WAL_NOT_FOUND'));
  assert.deepEqual(seen, ['record 2']);
  await assert.rejects(collect(log.readMany(5)), wrongType);
  assert.deepEqual(await collect(log.readMany([])), []);
});

test('a replay ends where the log ended, or where the callback says so', async (t) => {
  const log = await some(t);
  let seen = 0;
  const last = await log.replay(async () => {
    seen++;
    await log.append('more');
  });
  assert.deepEqual([last, seen], [10n, 10]);
  assert.equal(await log.replay((record) => record.lsn < 3n), 3n);
  assert.equal(await log.replay(() => {}, { from: 'end' }), null);
  const failing = log.replay(() => {
    throw new RangeError('mine');
  });
  await assert.rejects(failing, RangeError);
  await assert.rejects(log.replay(), wrongType);
});

test('an aborted iteration ends with an AbortError', async (t) => {
  const log = await some(t, 100);
  const stop = new AbortController();
  const seen = [];
  const loop = async () => {
    for await (const batch of log.cursor({ batchRecords: 5, signal: stop.signal }).batches()) {
      seen.push(batch);
      stop.abort(new Error('why'));
    }
  };
  await assert.rejects(loop(), (error) => error.name === 'AbortError' && error.cause.message === 'why');
  assert.equal(seen.length, 1);
});

test('a reader beside the writer sees what is appended, and changes nothing', async (t) => {
  const { open } = await import('libwal');
  const log = await some(t, 3);
  const reader = await open(log.path, { readOnly: true });
  assert.equal((await collect(reader.cursor())).length, 3);
  await log.append('later');
  assert.equal(text(await reader.read(4n)), 'later');
  await assert.rejects(reader.append('x'), code('ERR_WAL_INVALID'));
  await assert.rejects(reader.trim(2n), code('ERR_WAL_INVALID'));
  await reader.close();
});
