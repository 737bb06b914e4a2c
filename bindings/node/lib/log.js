'use strict';
// An open log.

const { listen, promised, promisedAppend, unlisten } = require('./desk.js');
const { Cursor, Follower } = require('./cursor.js');
const { invalid, wrongType } = require('./errors.js');
const { RecordBatch, first, pack } = require('./packed.js');
const { createReadStream, createWriteStream } = require('./streams.js');
const values = require('./values.js');
const { Values } = require('./state.js');

const { toAppendOptions, toBytes, toOptions, toPath, toPosition, toU64 } = values;

const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');

const CURSOR_OPTIONS = new Set(['from', 'reverse', 'follow', 'signal', 'batchRecords', 'batchBytes']);
/** A record that fits is read without memory of its own. */
const SCRATCH = Buffer.alloc(64 * 1024);

/** Tells of logs that nobody can close any more. */
const forgotten = new FinalizationRegistry(({ path, state }) => {
  if (state.isClosed) return;
  process.emitWarning(`The log ${path} was garbage-collected without having been closed`, {
    code: 'WAL_NOT_CLOSED',
    detail: 'It is being closed now. Call close() or use `await using`, so that errors are told.',
  });
});

const toRecord = (value) => toBytes(value, 'record');

class Log {
  #native;
  #state = { isClosed: false };
  #closing;
  #append;
  #readInto;
  #submit;
  #submitWith;
  #submitPacked;
  #values;

  /** Not for users: `open` and `openSync` make logs. */
  constructor(token, object) {
    if (token !== MAKING) throw invalid('a log is opened with open() or openSync()');
    this.#native = object;
    this.#append = object.append;
    this.#readInto = object.readInto;
    this.#submit = object.submit;
    this.#submitWith = object.submitWith;
    this.#submitPacked = object.submitPacked;
    forgotten.register(this, { path: object.path, state: this.#state });
  }

  append(record, options) {
    if (options === undefined) {
      return promisedAppend(this, false, this.#submit, record, undefined, toRecord);
    }
    try {
      const checked = toAppendOptions(options);
      return promisedAppend(this, false, this.#submitWith, record, checked, toRecord);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendSync(record, options) {
    if (options === undefined) return this.#append(record) ?? this.#append(toRecord(record));
    return this.#append(toRecord(record), ...toAppendOptions(options));
  }

  appendBatch(records, options) {
    try {
      const checked = options === undefined ? DEFAULTS : toAppendOptions(options);
      return promisedAppend(this, true, this.#submitPacked, pack(records), checked, toRecord);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendBatchSync(records, options) {
    const checked = options === undefined ? DEFAULTS : toAppendOptions(options);
    return this.#native.appendPacked(pack(records), ...checked);
  }

  appendPacked(packed, options) {
    try {
      const checked = options === undefined ? DEFAULTS : toAppendOptions(options);
      return promisedAppend(this, true, this.#submitPacked, packed, checked, (value) =>
        toBytes(value, 'packed'),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendPackedSync(packed, options) {
    const checked = options === undefined ? DEFAULTS : toAppendOptions(options);
    return this.#native.appendPacked(toBytes(packed, 'packed'), ...checked);
  }

  appendAt(lsn, record, options) {
    return this.#call('appendAt', () => this.#atArguments(lsn, record, options));
  }

  appendAtSync(lsn, record, options) {
    return this.#native.appendAt(undefined, ...this.#atArguments(lsn, record, options));
  }

  #atArguments(lsn, record, options) {
    return [toU64(lsn, 'lsn'), toRecord(record), ...toAppendOptions(options)];
  }

  sync() {
    return this.#call('sync', none);
  }

  syncSync() {
    return this.#native.sync();
  }

  waitDurable(lsn, options) {
    return this.#call('waitDurable', () => {
      const { timeoutMs } = toOptions(options, WAIT_OPTIONS);
      const limit =
        timeoutMs === undefined ? -1 : values.toMilliseconds(timeoutMs, 'options.timeoutMs');
      return [toU64(lsn, 'lsn'), limit < 0 ? null : limit];
    });
  }

  onDurable(listener) {
    values.toFunction(listener, 'listener');
    const number = listen((error, lsn) => listener(error ?? null, lsn));
    try {
      this.#native.onDurable(number);
    } catch (error) {
      unlisten(number);
      throw error;
    }
    const unsubscribe = () => {
      unlisten(number);
      this.#native.offDurable(number);
    };
    return { unsubscribe, [dispose]: unsubscribe };
  }

  read(lsn) {
    return this.#call('read', () => [toU64(lsn, 'lsn')]).then(first);
  }

  readSync(lsn) {
    const checked = toU64(lsn, 'lsn');
    const bytes = this.#readInto(SCRATCH, checked);
    if (bytes === 0) return first(this.#native.read(undefined, checked));
    return first(Buffer.from(SCRATCH.subarray(0, bytes)));
  }

  async *readMany(lsns) {
    const wanted = toLsns(lsns);
    for (let at = 0; at < wanted.length; ) {
      const part = wanted.subarray(at, at + MANY);
      const batch = new RecordBatch(await promised(this, (token) => this.#native.readMany(token, part)));
      yield* batch;
      at += batch.length;
      // Why there are not more is what reading the next one says.
      if (batch.length < part.length) {
        yield await this.read(wanted[at]);
        at++;
      }
    }
  }

  timeOf(lsn) {
    return this.#call('timeOf', () => [toU64(lsn, 'lsn')]);
  }

  timeOfSync(lsn) {
    return this.#native.timeOf(undefined, toU64(lsn, 'lsn'));
  }

  cursor(options) {
    const checked = toOptions(options, CURSOR_OPTIONS);
    const isFollowing = checked.follow !== undefined && values.toBoolean(checked.follow, 'follow');
    if (checked.reverse !== undefined) values.toBoolean(checked.reverse, 'reverse');
    if (isFollowing && checked.reverse) throw invalid('a cursor follows onwards, not in reverse');
    const Kind = isFollowing ? Follower : Cursor;
    return new Kind(this, this.#native, {
      // Backwards the natural place to begin is the end.
      from: toPosition(
        checked.from === undefined && checked.reverse ? 'end' : checked.from,
        'options.from',
      ),
      reverse: checked.reverse === true,
      signal: values.toSignal(checked.signal),
      records: size(checked.batchRecords, 'options.batchRecords', 1024),
      bytes: size(checked.batchBytes, 'options.batchBytes', 256 * 1024),
    });
  }

  async replay(callback, options) {
    values.toFunction(callback, 'callback');
    const { from, signal } = toOptions(options, REPLAY_OPTIONS);
    values.toSignal(signal);
    const end = this.lastLsn;
    let last = null;
    for await (const batch of this.cursor({ from, signal }).batches()) {
      for (const record of batch) {
        if (end === null || record.lsn > end) return last;
        last = record.lsn;
        if ((await callback(record)) === false) return last;
      }
    }
    return last;
  }

  createReadStream(options) {
    return createReadStream(this, options);
  }

  createWriteStream(options) {
    return createWriteStream(this, options);
  }

  trim(before) {
    return this.#call('trim', () => [toU64(before, 'before')]);
  }

  trimSync(before) {
    return this.#native.trim(undefined, toU64(before, 'before'));
  }

  truncate(after) {
    return this.#call('truncate', () => [toU64(after, 'after')]);
  }

  truncateSync(after) {
    this.#native.truncate(undefined, toU64(after, 'after'));
  }

  resetTo(next) {
    return this.#call('resetTo', () => [toU64(next, 'next')]);
  }

  resetToSync(next) {
    this.#native.resetTo(undefined, toU64(next, 'next'));
  }

  get values() {
    this.#values ??= new Values(this, this.#native);
    return this.#values;
  }

  stats() {
    return this.#call('stats', none);
  }

  statsSync() {
    return this.#native.stats();
  }

  copyTo(path) {
    return this.#call('copyTo', () => [toPath(path)]);
  }

  close() {
    this.#closing ??= this.#call('close', none).finally(() => {
      this.#state.isClosed = true;
    });
    return this.#closing;
  }

  closeSync() {
    try {
      this.#native.close();
    } finally {
      this.#state.isClosed = true;
      this.#closing ??= Promise.resolve();
    }
  }

  [asyncDispose]() {
    return this.close();
  }

  get firstLsn() {
    return this.#native.firstLsn();
  }

  get lastLsn() {
    return this.#native.lastLsn();
  }

  get nextLsn() {
    return this.#native.nextLsn();
  }

  get durableLsn() {
    return this.#native.durableLsn();
  }

  get writtenLsn() {
    return this.#native.writtenLsn();
  }

  get submittedLsn() {
    return this.#native.submittedLsn();
  }

  get path() {
    return this.#native.path;
  }

  get uuid() {
    return this.#native.uuid;
  }

  get recovery() {
    return this.#native.recovery;
  }

  /** A call on another thread; wrong arguments reject. */
  #call(name, toArguments) {
    return promised(this, (token) => this.#native[name](token, ...toArguments()));
  }
}

const MAKING = Symbol('making a log');
const DEFAULTS = [null, -1, null];
const WAIT_OPTIONS = new Set(['timeoutMs']);
const REPLAY_OPTIONS = new Set(['from', 'signal']);
/** How many records one call reads by their LSNs. */
const MANY = 1024;
const none = () => [];

function size(value, name, byDefault) {
  if (value === undefined) return byDefault;
  if (typeof value !== 'number') throw wrongType(name, 'a number', value);
  if (!Number.isInteger(value) || value < 1 || value > 2 ** 30) {
    throw invalid(`${name} is ${value}: it must be a whole number from 1 to 2 ** 30`);
  }
  return value;
}

function toLsns(lsns) {
  if (lsns === null || lsns === undefined || typeof lsns[Symbol.iterator] !== 'function') {
    throw wrongType('lsns', 'an iterable of LSNs', lsns);
  }
  return BigUint64Array.from([...lsns], (lsn, index) => toU64(lsn, `lsns[${index}]`));
}

function makeLog(object) {
  return new Log(MAKING, object);
}

module.exports = { Log, makeLog };
