import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, WalError } from 'libwal';

import { code, collect, directory, opened, text, wrongType } from './scratch.mjs';

test('what is no record is refused before anything happens', async (t) => {
  const log = await opened(t);
  for (const wrong of [undefined, null, 5, 5n, true, {}, [], new ArrayBuffer(3), Symbol('s')]) {
    await assert.rejects(log.append(wrong), wrongType);
    assert.throws(() => log.appendSync(wrong), wrongType);
    await assert.rejects(log.appendBatch([wrong]), wrongType);
    await assert.rejects(log.appendAt(1n, wrong), wrongType);
  }
  for (const wrong of [undefined, null, 'text', 7, { length: 1 }]) {
    await assert.rejects(log.appendBatch(wrong), wrongType);
    assert.throws(() => log.appendBatchSync(wrong), wrongType);
  }
  assert.equal(log.nextLsn, 1n);
});

test('options that are wrong or unknown are refused', async (t) => {
  const log = await opened(t);
  await assert.rejects(log.append('a', { levl: 'os' }), wrongType);
  await assert.rejects(log.append('a', { level: 5 }), wrongType);
  await assert.rejects(log.append('a', null), wrongType);
  await assert.rejects(log.append('a', { level: 'memory' }), code('ERR_WAL_INVALID'));
  await assert.rejects(log.append('a', { waitMs: -1 }), code('ERR_WAL_INVALID'));
  await assert.rejects(log.append('a', { time: new Date(NaN) }), code('ERR_WAL_INVALID'));
  const path = directory(t);
  await assert.rejects(open(path, { segmentByte: 1 }), wrongType);
  await assert.rejects(open(path, { create: 'yes' }), wrongType);
  await assert.rejects(open(path, { segmentBytes: 5 }), code('ERR_WAL_INVALID'));
  await assert.rejects(open(path, { firstLsn: 0 }), code('ERR_WAL_INVALID'));
  await assert.rejects(open(path, { firstLsn: -1n }), code('ERR_WAL_INVALID'));
  await assert.rejects(open(path, { ringBytes: 1.5 }), code('ERR_WAL_INVALID'));
  for (const wrong of [undefined, null, 5, {}]) await assert.rejects(open(wrong), wrongType);
  await assert.rejects(open(''), code('ERR_WAL_INVALID'));
  await assert.rejects(open('a\0b'), code('ERR_WAL_INVALID'));
});

test('an empty batch and packed bytes that are none are refused', async (t) => {
  const log = await opened(t);
  await assert.rejects(log.appendBatch([]), code('ERR_WAL_INVALID'));
  assert.throws(() => log.appendBatchSync([]), code('ERR_WAL_INVALID'));
  await assert.rejects(log.appendPacked(Buffer.alloc(7)), code('ERR_WAL_INVALID'));
  await assert.rejects(log.appendPacked('packed'), code('ERR_WAL_INVALID'));
  await assert.rejects(log.appendPacked(new ArrayBuffer(8)), wrongType);
});

test('a record over the limit is refused, the next one is not', async (t) => {
  const log = await opened(t, { recordBytesMax: 100 });
  await assert.rejects(log.append(Buffer.alloc(101)), code('ERR_WAL_INVALID'));
  assert.throws(() => log.appendSync(Buffer.alloc(101)), code('ERR_WAL_INVALID'));
  assert.equal(await log.append(Buffer.alloc(100)), 1n);
});

test('an append whose view is old is told the next LSN', async (t) => {
  const log = await opened(t);
  assert.equal(await log.appendAt(1n, 'a'), 1n);
  await assert.rejects(log.appendAt(1n, 'b'), (error) => {
    assert.ok(error instanceof WalError);
    assert.equal(error.code, 'ERR_WAL_CONFLICT');
    assert.equal(error.lsn, 2n);
    return true;
  });
  assert.throws(() => log.appendAtSync(5, 'b'), code('ERR_WAL_CONFLICT'));
  assert.equal(log.appendAtSync(2, 'b'), 2n);
});

test('a full log rejects, and takes records again after a trim', async (t) => {
  const log = await opened(t, { segmentBytes: 65536, maxBytes: 131072 });
  const record = Buffer.alloc(20000);
  const full = async () => {
    for (;;) await log.append(record);
  };
  await assert.rejects(full(), code('ERR_WAL_FULL'));
  await log.trim(log.lastLsn);
  await log.append(record);
});

test('appends get their LSNs in the order of the calls, also when the ring is full', async (t) => {
  const log = await opened(t, { ringBytes: 65536, segmentBytes: 1 << 20 });
  const appends = Array.from({ length: 400 }, (_, index) => {
    const record = Buffer.alloc(index % 7 === 0 ? 70_000 : 9_000, index % 256);
    return index % 5 === 0 ? log.appendBatch([record]) : log.append(record);
  });
  const last = log.appendSync('after all of them');
  const lsns = (await Promise.all(appends)).map((lsn) => lsn.first ?? lsn);
  assert.deepEqual(
    lsns,
    lsns.map((_, index) => BigInt(index + 1)),
  );
  assert.equal(last, 401n);
  for (const index of [0, 7, 11, 399]) {
    assert.equal((await log.read(lsns[index])).data[0], index % 256);
  }
});

test('an append that must not wait fails instead', async (t) => {
  const log = await opened(t, { segmentBytes: 65536, maxBytes: 131072, atCapacity: 'block' });
  const record = Buffer.alloc(20000);
  const fill = async (options) => {
    for (;;) await log.append(record, options);
  };
  await assert.rejects(fill({ waitMs: 0 }), code('ERR_WAL_WOULD_BLOCK'));
  await assert.rejects(log.append(record, { waitMs: 30 }), code('ERR_WAL_TIMEOUT'));
  assert.throws(() => log.appendSync(record, { waitMs: 30 }), code('ERR_WAL_TIMEOUT'));
  const patient = log.append(record);
  await log.trim(log.lastLsn);
  assert.equal(typeof (await patient), 'bigint');
});

test('closing does not hang on an append that waits for a trim', async (t) => {
  const log = await opened(t, { segmentBytes: 65536, maxBytes: 131072, atCapacity: 'block' });
  const record = Buffer.alloc(20000);
  const fill = async () => {
    for (;;) await log.append(record, { waitMs: 0 });
  };
  await assert.rejects(fill(), code('ERR_WAL_WOULD_BLOCK'));
  const stuck = [log.append(record), log.append('small'), log.appendBatch(['a'])];
  const ends = Promise.allSettled(stuck);
  await log.close();
  for (const end of await ends) assert.equal(end.reason?.code, 'ERR_WAL_CLOSED');
});

test('every kind of bytes is appended as it is', async (t) => {
  const log = await opened(t);
  const wide = new Uint16Array([0x0102, 0x0304]);
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  const resizable = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 })).fill(9);
  const records = [
    ['text \u{1f600}', Buffer.from('text \u{1f600}')],
    ['', Buffer.alloc(0)],
    [new Uint8Array(0), Buffer.alloc(0)],
    [wide, Buffer.from(wide.buffer)],
    [new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2), Buffer.from([2, 3])],
    [shared, Buffer.from([7, 7, 7])],
    [resizable, Buffer.from([9, 9, 9, 9])],
    [Buffer.from('abcdef').subarray(2, 4), Buffer.from('cd')],
    [new Uint8ClampedArray([300, 1]), Buffer.from([255, 1])],
  ];
  for (const [record, expected] of records) {
    const lsns = [
      await log.append(record),
      log.appendSync(record),
      (await log.appendBatch([record, record])).last,
      await log.append(record, { level: 'os' }),
      await log.appendAt(log.nextLsn, record),
    ];
    for (const lsn of lsns) assert.deepEqual((await log.read(lsn)).data, expected);
  }
});

test('what is changed after the call is not what was appended', async (t) => {
  const log = await opened(t);
  const record = Buffer.alloc(50_000, 1);
  const packed = Buffer.alloc(24);
  packed.writeUInt32LE(8, 0);
  const appends = [log.append(record), log.appendBatch([record, record]), log.appendAt(4n, record)];
  await Promise.all(appends.slice(0, 2));
  record.fill(2);
  await appends[2].catch(() => {});
  const packing = log.appendPacked(packed);
  packed.fill(255);
  await packing;
  const records = await collect(log.cursor());
  for (const { data } of records.slice(0, 3)) assert.ok(data.equals(Buffer.alloc(50_000, 1)));
  assert.ok(records.at(-1).data.equals(Buffer.alloc(8)));
});

test('a huge record and a huge batch come back as they were', async (t) => {
  const log = await opened(t);
  const huge = Buffer.alloc(40 * 1024 * 1024, 'huge');
  const lsn = await log.append(huge);
  const { first, last } = await log.appendBatch([huge, Buffer.from('small')]);
  assert.ok((await log.read(lsn)).data.equals(huge));
  assert.ok(log.readSync(first).data.equals(huge));
  const cursor = log.cursor();
  assert.equal((await cursor.readBatch()).length, 1);
  assert.ok((await cursor.next()).data.equals(huge));
  assert.equal(text(cursor.nextSync()), 'small');
  assert.equal(log.lastLsn, last);
});

test('a batch is one and its records say so', async (t) => {
  const log = await opened(t);
  assert.deepEqual(await log.appendBatch(['a', 'b', 'c']), { first: 1n, last: 3n });
  assert.deepEqual(log.appendBatchSync(['d']), { first: 4n, last: 4n });
  const records = await collect(log.cursor());
  assert.deepEqual(records.map(text), ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    records.map((record) => record.batchContinues),
    [true, true, false, false],
  );
});

test('thousands of appends in flight are acknowledged once each', async (t) => {
  const log = await opened(t, { level: 'os' });
  const lsns = await Promise.all(Array.from({ length: 20_000 }, () => log.append('record')));
  assert.equal(new Set(lsns).size, 20_000);
  assert.equal(lsns.at(-1), 20_000n);
});

test('levels, sync and the durable watermark', async (t) => {
  const log = await opened(t, { level: 'buffered' });
  await log.append('a');
  assert.equal(await log.sync(), 1n);
  await log.append('b', { level: 'disk' });
  assert.equal(log.durableLsn, 2n);
  await log.append('c', { level: 'os' });
  assert.equal(log.syncSync(), 3n);
  assert.equal(await log.waitDurable(3n), 3n);
  await assert.rejects(log.waitDurable(9n, { timeoutMs: 20 }), code('ERR_WAL_TIMEOUT'));
});

test('a listener hears that records are durable, until it no longer wants to', async (t) => {
  const log = await opened(t);
  const heard = [];
  // A listener alone keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  let wake;
  const subscription = log.onDurable((error, lsn) => {
    heard.push(error ?? lsn);
    if (lsn === 2n) wake();
  });
  const second = new Promise((resolve) => (wake = resolve));
  await log.append('a');
  await log.append('b');
  await second;
  subscription.unsubscribe();
  subscription.unsubscribe();
  await log.append('c');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(heard.at(-1), 2n);
  assert.throws(() => log.onDurable('no function'), wrongType);
});

test('commit times can be given, and looked up', async (t) => {
  const log = await opened(t);
  const time = new Date(1_700_000_000_000);
  await log.append('a', { time });
  await log.append('b', { time: 1_700_000_000_123_456_789n });
  assert.equal(await log.timeOf(1n), 1_700_000_000_000_000_000n);
  assert.equal(log.timeOfSync(2n), 1_700_000_000_123_456_789n);
  const [found] = await collect(log.cursor({ from: new Date(1_700_000_000_100) }));
  assert.equal(text(found), 'b');
});
