import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'libwal';

import { code, collect, opened, text, wrongType } from './scratch.mjs';

test('a follower from a place that is not there says so', async (t) => {
  const log = await opened(t);
  await log.appendBatch(['a', 'b', 'c']);
  await log.trim(3n);
  await assert.rejects(log.cursor({ from: 1n, follow: true }).next(), code('ERR_WAL_TRIMMED'));
  await assert.rejects(log.cursor({ from: 9n, follow: true }).next(), code('ERR_WAL_NOT_FOUND'));
  const follower = log.cursor({ from: 'end', follow: true });
  await assert.rejects(follower.next({ timeout: 5 }), wrongType);
  await assert.rejects(follower.next({ timeoutMs: -5 }), code('ERR_WAL_INVALID'));
});

test('a follower gets each record as it comes', async (t) => {
  const log = await opened(t);
  await log.append('before');
  const seen = [];
  const following = (async () => {
    for await (const record of log.cursor({ follow: true })) {
      seen.push(text(record));
      if (seen.length === 4) return;
    }
  })();
  for (const record of ['one', 'two', 'three']) {
    await sleep(10);
    await log.append(record);
  }
  await following;
  assert.deepEqual(seen, ['before', 'one', 'two', 'three']);
});

test('followers that wait leave the event loop free and no thread busy', async (t) => {
  const log = await opened(t);
  const followers = Array.from({ length: 50 }, () => log.cursor({ from: 'end', follow: true }).next());
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  await sleep(60);
  clearInterval(ticking);
  assert.ok(ticks > 10, `${ticks} ticks`);
  // Reading still works, although more followers wait than there are threads.
  const lsn = await log.append('for all');
  assert.equal(text(await log.read(lsn)), 'for all');
  assert.deepEqual(new Set((await Promise.all(followers)).map(text)), new Set(['for all']));
});

test('a wait with a time limit ends, and loses nothing', async (t) => {
  const log = await opened(t);
  const follower = log.cursor({ from: 'end', follow: true });
  assert.equal(await follower.next({ timeoutMs: 20 }), null);
  assert.equal(await follower.next({ timeoutMs: 0 }), null);
  await log.append('a');
  assert.equal(text(await follower.next({ timeoutMs: 0 })), 'a');
  // Records that come just when the time is up belong to the next call.
  let seen = 0;
  const writing = (async () => {
    for (let n = 0; n < 200; n++) await log.append('b');
  })();
  while (seen < 200) if ((await follower.next({ timeoutMs: 0 })) !== null) seen++;
  await writing;
  assert.equal(await follower.nextLsn(), 202n);
});

test('an aborted follower ends with an AbortError at once', async (t) => {
  const log = await opened(t);
  const stop = new AbortController();
  const follower = log.cursor({ from: 'end', follow: true, signal: stop.signal });
  const waiting = collect(follower);
  await sleep(10);
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError', code: 'ABORT_ERR' });
  await assert.rejects(follower.next(), { name: 'AbortError' });
  const late = log.cursor({ follow: true, signal: AbortSignal.abort() });
  await assert.rejects(late.next(), { name: 'AbortError' });
  const timed = log.cursor({ from: 'end', follow: true, signal: AbortSignal.timeout(10) });
  await assert.rejects(timed.next(), { name: 'AbortError' });
});

test('a follower hears everything, and then that the log was closed', async (t) => {
  const log = await opened(t);
  const seen = [];
  const following = (async () => {
    for await (const record of log.cursor({ follow: true })) seen.push(text(record));
  })();
  const ended = assert.rejects(following, code('ERR_WAL_CLOSED'));
  const appends = Promise.all(['a', 'b', 'c'].map((record) => log.append(record)));
  await log.close();
  await appends;
  await ended;
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('a follower of a reader sees what another handle writes', async (t) => {
  const log = await opened(t);
  const reader = await open(log.path, { readOnly: true });
  const follower = reader.cursor({ from: 'end', follow: true });
  const waiting = follower.next();
  await sleep(20);
  await log.append('from the writer');
  assert.equal(text(await waiting), 'from the writer');
  await reader.close();
});

test('a truncated follower is told', async (t) => {
  const log = await opened(t);
  await log.appendBatch(['a', 'b', 'c']);
  const follower = log.cursor({ from: 'end', follow: true });
  const told = assert.rejects(follower.next(), code('ERR_WAL_TRUNCATED'));
  await sleep(10);
  await log.truncate(1n);
  await told;
  await log.append('another b');
  assert.equal(text(await follower.next()), 'another b');
});

test('batches of a follower hold what has piled up', async (t) => {
  const log = await opened(t);
  await log.appendBatch(Array.from({ length: 100 }, () => 'x'));
  const follower = log.cursor({ follow: true, batchRecords: 64 });
  assert.equal((await follower.readBatch()).length, 64);
  assert.equal((await follower.readBatch()).length, 36);
  const later = follower.readBatch();
  await log.append('y');
  assert.equal((await later).length, 1);
});
