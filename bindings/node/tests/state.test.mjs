import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  destroy,
  destroySync,
  info,
  infoSync,
  open,
  openSync,
  repair,
  repairSync,
  setLogger,
  verify,
  verifySync,
  version,
} from 'libwal';

import { code, collect, directory, opened, text, wrongType } from './scratch.mjs';

test('where no log is, every call says so', async (t) => {
  const path_ = directory(t);
  for (const call of [destroy, info, verify, repair]) {
    await assert.rejects(call(path_), code('ERR_WAL_NOT_FOUND'));
    await assert.rejects(call(5), wrongType);
  }
  for (const call of [destroySync, infoSync, verifySync, repairSync]) {
    assert.throws(() => call(path_), code('ERR_WAL_NOT_FOUND'));
  }
  await assert.rejects(open(path_, { create: false }), code('ERR_WAL_NOT_FOUND'));
  await assert.rejects(verify(path_, { onProgress: 5 }), wrongType);
  await assert.rejects(repair(path_, { dryRun: 1 }), wrongType);
});

test('a log has one writer, and who may wait gets it next', async (t) => {
  const log = await opened(t);
  await assert.rejects(open(log.path), code('ERR_WAL_LOCKED'));
  assert.throws(() => openSync(log.path), code('ERR_WAL_LOCKED'));
  const next = open(log.path, { lockWaitMs: 10_000 });
  await log.close();
  await (await next).close();
});

test('many openings that wait for a lock leave the other calls alone', async (t) => {
  const log = await opened(t);
  const waiting = Array.from({ length: 8 }, () => open(log.path, { lockWaitMs: 300 }));
  const outcomes = Promise.allSettled(waiting);
  await log.append('meanwhile');
  assert.equal(text(await log.read(1n)), 'meanwhile');
  assert.equal(fs.statSync(log.path).isDirectory(), true);
  for (const outcome of await outcomes) assert.equal(outcome.reason.code, 'ERR_WAL_LOCKED');
});

test('damage is found, told with its place, and repaired', async (t) => {
  const log = await opened(t);
  for (let n = 0; n < 5; n++) await log.append(Buffer.alloc(300, 0x61 + n));
  const name = path.join(log.path, fs.readdirSync(log.path).filter((file) => /\d/.test(file))[0]);
  const where = log.path;
  await log.close();
  const bytes = fs.readFileSync(name);
  const at = bytes.indexOf(Buffer.alloc(300, 0x63));
  bytes[at + 100] ^= 1;
  fs.writeFileSync(name, bytes);
  const damaged = await open(where, { create: false }).catch((error) => error);
  const error = damaged.code ? damaged : await damaged.read(3n).catch((failure) => failure);
  await damaged.close?.().catch(() => {});
  code('ERR_WAL_CORRUPT')(error);
  assert.equal(error.path, name);
  assert.equal(typeof error.offset, 'bigint');
  assert.equal(typeof error.segment, 'bigint');
  assert.equal(error.lsn, 3n);
  const report = await verify(where);
  assert.equal(report.findings[0].code, 'ERR_WAL_CORRUPT');
  assert.equal(report.findings[0].recordsAtStake, true);
  assert.equal((await repair(where, { dryRun: true })).changed, false);
  const repaired = await repair(where);
  assert.equal(repaired.changed, true);
  assert.deepEqual(repaired.lost, [{ first: 3n, last: 5n }]);
  assert.ok(fs.existsSync(repaired.backup));
  fs.rmSync(repaired.backup, { recursive: true });
  assert.deepEqual((await verify(where)).findings, []);
  const again = await open(where);
  assert.equal(again.lastLsn, 2n);
  await again.close();
});

test('an error of the system comes with its number and cause', async (t) => {
  const long = path.join(directory(t), 'x'.repeat(300));
  await assert.rejects(open(long), (error) => {
    code('ERR_WAL_IO')(error);
    assert.equal(error.errno, -36);
    assert.equal(error.cause.code, 'ENAMETOOLONG');
    return true;
  });
});

test('paths are strings, bytes or URLs', async (t) => {
  const name = directory(t);
  await (await open(name)).close();
  await (await open(Buffer.from(name), { create: false })).close();
  await (await open(pathToFileURL(name), { create: false })).close();
  assert.equal((await info(name)).clean, true);
  const odd = Buffer.concat([Buffer.from(name), Buffer.from([0xff, 0xfe])]);
  const log = await open(odd);
  await log.append('a');
  await log.close();
  assert.equal((await info(odd)).lastLsn, 1n);
});

test('values survive and are changed together', async (t) => {
  const log = await opened(t);
  await assert.rejects(log.values.set('', 'empty key'), code('ERR_WAL_INVALID'));
  await assert.rejects(log.values.set('k', Buffer.alloc(5000)), code('ERR_WAL_INVALID'));
  await assert.rejects(log.values.set('k'), wrongType);
  await assert.rejects(log.values.update(null), wrongType);
  await assert.rejects(log.values.update({ k: 5 }), wrongType);
  assert.throws(() => log.values.getSync(undefined), wrongType);
  assert.equal(await log.values.get('term'), null);
  await log.values.set('term', '7');
  await log.values.update({ vote: 'node-2', term: '8' });
  await log.values.update(new Map([['vote', null]]));
  log.values.setSync('offset', Buffer.from([1]));
  assert.equal((await log.values.get('term')).toString(), '8');
  assert.equal(await log.values.delete('vote'), false);
  assert.equal(log.values.deleteSync('offset'), true);
  await log.close();
  const again = await open(log.path);
  assert.deepEqual(again.values.listSync(), [[Buffer.from('term'), Buffer.from('8')]]);
  assert.deepEqual(await again.values.list(), again.values.listSync());
  await again.close();
});

test('trim, truncate, reset', async (t) => {
  const log = await opened(t);
  await log.appendBatch(['a', 'b', 'c', 'd']);
  await assert.rejects(log.trim(9n), code('ERR_WAL_INVALID'));
  await assert.rejects(log.truncate(9n), code('ERR_WAL_INVALID'));
  await assert.rejects(log.resetTo(0n), code('ERR_WAL_INVALID'));
  assert.equal(await log.trim(2n), 2n);
  await log.truncate(3n);
  assert.deepEqual((await collect(log.cursor())).map(text), ['b', 'c']);
  await log.resetTo(100n);
  assert.equal(log.appendSync('e'), 100n);
  assert.equal(log.trimSync(100n), 100n);
  log.truncateSync(100n);
  log.resetToSync(7n);
  assert.deepEqual([log.firstLsn, log.lastLsn, log.nextLsn], [null, null, 7n]);
});

test('copy, statistics, information', async (t) => {
  const log = await opened(t, { segmentBytes: 65536 });
  await log.appendBatch(['a', 'b']);
  const target = `${log.path}-copy`;
  const copy = await log.copyTo(target);
  assert.deepEqual([copy.records, copy.firstLsn, copy.lastLsn], [2n, 1n, 2n]);
  await assert.rejects(log.copyTo(target), code('ERR_WAL_INVALID'));
  const stats = await log.stats();
  assert.equal(stats.counters.records, 2n);
  assert.equal(stats.level, 'disk');
  assert.equal(stats.segments[0].sealed, false);
  assert.deepEqual(Object.keys(log.statsSync()), Object.keys(stats));
  const found = await info(target);
  assert.notEqual(found.uuid, log.uuid);
  assert.deepEqual([found.clean, found.writerAlive, found.lastLsn], [true, false, 2n]);
  assert.equal((await info(log.path)).writerAlive, true);
  const told = [];
  await verify(target, { onProgress: (done, total) => told.push([done, total]) });
  assert.ok(told.length > 0);
  assert.equal(told.at(-1)[0], told.at(-1)[1]);
  await destroy(target);
  assert.equal(fs.existsSync(target), false);
  assert.match(version, /^\d+\.\d+\.\d+/);
});

test('events are told to a listener of their level, and to none without', async (t) => {
  assert.throws(() => setLogger('console'), wrongType);
  assert.throws(() => setLogger(() => {}, { level: 'loud' }), code('ERR_WAL_INVALID'));
  const events = [];
  setLogger((event) => events.push(event), { level: 'debug' });
  t.after(() => setLogger(null));
  const log = await opened(t);
  await log.close();
  await new Promise(setImmediate);
  assert.ok(events.length > 0);
  for (const event of events) {
    assert.match(event.level, /^(error|warn|info|debug)$/);
    assert.equal(typeof event.message, 'string');
    assert.equal(event.target, 'wal');
  }
  setLogger(null);
  const before = events.length;
  await (await open(log.path)).close();
  await new Promise(setImmediate);
  assert.equal(events.length, before);
});
