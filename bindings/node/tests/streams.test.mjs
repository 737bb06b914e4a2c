import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { code, collect, opened, text, wrongType } from './scratch.mjs';

test('a chunk that is no record ends the stream with its error', async (t) => {
  const log = await opened(t);
  const stream = log.createWriteStream();
  stream.write({ no: 'record' });
  const [error] = await once(stream, 'error');
  wrongType(error);
  assert.throws(() => log.createWriteStream({ encoding: 'utf8' }), wrongType);
  assert.throws(() => log.createWriteStream({ level: 'memory' }), code('ERR_WAL_INVALID'));
  assert.throws(() => log.createReadStream({ start: 1 }), wrongType);
});

test('writing to the stream of a closed log is an error of the stream', async (t) => {
  const log = await opened(t);
  const stream = log.createWriteStream();
  await log.close();
  await assert.rejects(pipeline(Readable.from(['a']), stream), code('ERR_WAL_CLOSED'));
});

test('what is piped in is appended in order, and on disk at finish', async (t) => {
  const log = await opened(t);
  const chunks = Array.from({ length: 5000 }, (_, index) => `chunk ${index}`);
  await pipeline(Readable.from(chunks), log.createWriteStream());
  assert.equal(log.durableLsn, 5000n);
  assert.deepEqual((await collect(log.createReadStream())).map(text), chunks);
  const { counters } = await log.stats();
  assert.ok(counters.syncs < 2500n, `${counters.syncs} syncs: chunks that piled up share one`);
});

test('backpressure is told to whoever writes', async (t) => {
  const log = await opened(t);
  const stream = log.createWriteStream({ highWaterMark: 4 });
  const answers = Array.from({ length: 8 }, () => stream.write('x'));
  assert.equal(answers.at(-1), false);
  await once(stream, 'drain');
  stream.end();
  await once(stream, 'finish');
  assert.equal(log.lastLsn, 8n);
});

test('a following stream ends when it is destroyed, and keeps nothing waiting', async (t) => {
  const log = await opened(t);
  const stream = log.createReadStream({ follow: true });
  const seen = [];
  stream.on('data', (record) => {
    seen.push(text(record));
    if (seen.length === 2) stream.destroy();
  });
  const closed = once(stream, 'close');
  await log.append('a');
  await log.append('b');
  await closed;
  assert.deepEqual(seen, ['a', 'b']);
});

test('a stream ends with its signal', async (t) => {
  const log = await opened(t);
  const stop = new AbortController();
  const stream = log.createReadStream({ follow: true, signal: stop.signal });
  const reading = collect(stream);
  await log.append('a');
  stop.abort();
  await assert.rejects(reading, { name: 'AbortError' });
});
