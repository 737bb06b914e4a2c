'use strict';
// Records as object streams.

const { Readable, Writable } = require('node:stream');
const { toAppendOptions, toOptions } = require('./values.js');

const READ_OPTIONS = new Set([
  'from',
  'reverse',
  'follow',
  'signal',
  'batchRecords',
  'batchBytes',
  'highWaterMark',
]);
const WRITE_OPTIONS = new Set(['level', 'signal', 'highWaterMark']);
/** Records on their way by default. */
const HIGH_WATER_MARK = 1024;

/** A stream of records. */
function createReadStream(log, options) {
  const { highWaterMark = HIGH_WATER_MARK, ...cursor } = toOptions(options, READ_OPTIONS);
  // A follower waits for as long as it takes: destroying the stream ends that.
  const stop = new AbortController();
  const signal = cursor.signal ? AbortSignal.any([cursor.signal, stop.signal]) : stop.signal;
  const stream = Readable.from(log.cursor({ ...cursor, signal }), { highWaterMark });
  stream.once('close', () => stop.abort());
  const destroy = stream._destroy;
  stream._destroy = function (error, callback) {
    stop.abort();
    destroy.call(this, error, callback);
  };
  return stream;
}

/** A stream that appends each chunk as a record; what has piled up is appended together. */
function createWriteStream(log, options) {
  const { level, signal, highWaterMark = HIGH_WATER_MARK } = toOptions(options, WRITE_OPTIONS);
  const appendOptions = level === undefined ? undefined : { level };
  toAppendOptions(appendOptions);
  const append = (chunk) => log.append(chunk, appendOptions);
  return new Writable({
    objectMode: true,
    highWaterMark,
    signal,
    write(chunk, _encoding, callback) {
      settle(append(chunk), callback);
    },
    writev(chunks, callback) {
      settle(Promise.all(chunks.map(({ chunk }) => append(chunk))), callback);
    },
  });
}

function settle(promise, callback) {
  promise.then(
    () => callback(),
    (error) => callback(error),
  );
}

module.exports = { createReadStream, createWriteStream };
