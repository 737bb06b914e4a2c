import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { info, open, openSync, verify } from 'libwal';

import { code, collect, directory, opened, start, text } from './scratch.mjs';

test('every call after closing is told that the log was closed', async (t) => {
  const log = await opened(t);
  await log.append('a');
  const [cursor, follower] = [log.cursor(), log.cursor({ follow: true })];
  assert.equal(text(await cursor.next()), 'a');
  assert.equal(text(await follower.next()), 'a');
  await log.close();
  const calls = [
    () => log.append('b'),
    () => log.append('b', { level: 'os' }),
    () => log.appendBatch(['b']),
    () => log.appendAt(2n, 'b'),
    () => log.sync(),
    () => log.waitDurable(5n),
    () => log.read(1n),
    () => log.timeOf(1n),
    () => log.trim(1n),
    () => log.truncate(1n),
    () => log.resetTo(9n),
    () => log.values.get('k'),
    () => log.values.set('k', 'v'),
    () => log.values.delete('k'),
    () => log.values.list(),
    () => log.copyTo(`${log.path}-copy`),
    () => cursor.next(),
    () => cursor.seek('end'),
    () => follower.next(),
    () => log.cursor().next(),
    () => collect(log.readMany([1n])),
  ];
  for (const call of calls) await assert.rejects(call(), code('ERR_WAL_CLOSED'), String(call));
  const syncCalls = [
    () => log.appendSync('b'),
    () => log.appendBatchSync(['b']),
    () => log.appendAtSync(2n, 'b'),
    () => log.syncSync(),
    () => log.readSync(1n),
    () => log.trimSync(1n),
    () => log.values.getSync('k'),
    () => cursor.nextSync(),
    () => log.onDurable(() => {}),
  ];
  for (const call of syncCalls) assert.throws(call, code('ERR_WAL_CLOSED'), String(call));
});

test('closing twice is closing once', async (t) => {
  const log = await opened(t);
  await Promise.all([log.close(), log.close()]);
  await log.close();
  log.closeSync();
  log.closeSync();
  const other = openSync(directory(t));
  other.closeSync();
  await other.close();
  await other[Symbol.asyncDispose]();
});

test('a log closed while others append keeps what it acknowledged, and refuses the rest', async (t) => {
  const log = await opened(t, { ringBytes: 65536 });
  let refused = 0;
  const acknowledged = [];
  const append = async (n) => {
    try {
      for (;;) acknowledged.push(await log.append(Buffer.alloc(5000, n)));
    } catch (error) {
      code('ERR_WAL_CLOSED')(error);
      refused++;
    }
  };
  const appending = Array.from({ length: 32 }, (_, n) => append(n));
  const reading = collect(log.cursor({ follow: true })).catch((error) => error.code);
  await sleep(50);
  await log.close();
  await Promise.all(appending);
  assert.equal(refused, 32);
  assert.equal(await reading, 'ERR_WAL_CLOSED');
  const again = await open(log.path);
  const found = (await collect(again.cursor())).map((record) => record.lsn);
  for (const lsn of acknowledged) assert.ok(lsn <= found.at(-1));
  assert.equal(found.length, Number(found.at(-1)));
  await again.close();
});

test('appends called before closing are done before it is closed', async (t) => {
  const log = await opened(t, { ringBytes: 65536 });
  const appends = Array.from({ length: 200 }, () => log.append(Buffer.alloc(3000)));
  await log.close();
  assert.equal((await Promise.all(appends)).at(-1), 200n);
});

test('a forgotten log is closed, with a warning, once its appends are done', async (t) => {
  const { ended } = start('forgotten', [directory(t)], ['--expose-gc']);
  const { status, lines, stderr } = await ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(lines, ['appended 1n', 'WAL_NOT_CLOSED true', 'again 1n clean']);
});

test('a process waits for its appends, but not for an open log', async (t) => {
  const path = directory(t);
  const { status, lines } = await start('pending', [path, 'return']).ended;
  assert.deepEqual([status, lines], [0, ['acknowledged 100']]);
  const found = await info(path);
  assert.deepEqual([found.clean, found.lastLsn], [true, 100n]);
});

test('a process that exits with appends in flight leaves a whole log', async (t) => {
  for (const how of ['exit', 'throw', 'closing']) {
    const path = directory(t);
    const { status, signal, lines } = await start('pending', [path, how]).ended;
    assert.deepEqual([signal, status], [null, how === 'throw' ? 1 : 0], how);
    const acknowledged = BigInt(lines.at(-1).split(' ')[1]);
    assert.deepEqual((await verify(path)).findings, []);
    const { lastLsn } = await info(path);
    assert.ok((lastLsn ?? 0n) >= acknowledged, how);
  }
});

test('a follower keeps the process alive until it is told to stop', async (t) => {
  const { status, lines } = await start('pending', [directory(t), 'following']).ended;
  assert.deepEqual([status, lines], [0, ['AbortError', 'acknowledged 100']]);
});

test('an error that nobody handles ends the process as any other does', async (t) => {
  const { status, stderr } = await start('unhandled', [directory(t)]).ended;
  assert.equal(status, 1);
  assert.match(stderr, /ERR_WAL_NOT_FOUND/);
});

test('nothing acknowledged is lost with a killed process', async (t) => {
  const path = directory(t);
  for (let round = 0; round < 5; round++) {
    const { child, ended } = start('appender', [path]);
    await once(child.stdout, 'data');
    await sleep(30 * round);
    child.kill('SIGKILL');
    const { lines } = await ended;
    const acknowledged = lines.map(BigInt).at(-1);
    const log = await open(path);
    assert.ok(log.lastLsn >= acknowledged, `${log.lastLsn} after ${acknowledged}`);
    await log.close();
  }
  assert.deepEqual((await verify(path)).findings, []);
});

test('workers that are terminated with everything in flight harm nobody', async (t) => {
  const path = directory(t);
  for (let round = 0; round < 6; round++) {
    const worker = new Worker(new URL('programs/worker.mjs', import.meta.url), {
      workerData: { directory: path },
    });
    const [last] = await once(worker, 'message');
    await sleep(5 * round);
    await worker.terminate();
    // The next one, which waits for the lock at the most, finds what was acknowledged.
    const log = await open(path, { lockWaitMs: 10_000 });
    assert.ok(log.lastLsn >= BigInt(last));
    await log.close();
  }
  assert.deepEqual((await verify(path)).findings, []);
});

test('several workers use logs of their own at once', async (t) => {
  const workers = Array.from(
    { length: 3 },
    () =>
      new Worker(new URL('programs/worker.mjs', import.meta.url), {
        workerData: { directory: directory(t) },
      }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await Promise.all(workers.map((worker) => worker.terminate()));
});

test('a worker may end while a log of it is being opened', async (t) => {
  const log = await opened(t);
  const worker = new Worker(new URL('programs/worker.mjs', import.meta.url), {
    workerData: { directory: log.path },
  });
  await once(worker, 'online');
  await sleep(150);
  await worker.terminate();
  await log.append('still fine');
});

test('methods called on what is no log throw', async (t) => {
  const { status, lines, stderr } = await start('wrong-handle', [directory(t)]).ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(lines, ['survived true']);
});
