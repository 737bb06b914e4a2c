'use strict';
// Cursors: places in a log from which records are read onwards, backwards, or as they come.

const { giveUp, promised } = require('./desk.js');
const { aborted, invalid } = require('./errors.js');
const { RecordBatch, first } = require('./packed.js');
const { toMilliseconds, toOptions, toPosition } = require('./values.js');

const NEXT_OPTIONS = new Set(['timeoutMs']);

/** Lets one call at a time work with the native object, which is opened when it is first needed. */
class Turn {
  #owner;
  #make;
  #object;
  #isBusy = false;
  #trouble;

  constructor(owner, make) {
    this.#owner = owner;
    this.#make = make;
  }

  /** Runs `work` with the native object unless another call is under way. */
  async take(work) {
    this.#begin();
    try {
      this.#object ??= await promised(this.#owner, (token) => this.#make(token));
      return await work(this.#object);
    } finally {
      this.#isBusy = false;
    }
  }

  takeSync(work) {
    this.#begin();
    try {
      this.#object ??= this.#make();
      return work(this.#object);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Calls a function of the native object on another thread. */
  call(name, toArguments = () => []) {
    return this.take((object) => {
      const values = toArguments();
      return promised(this.#owner, (token) => object[name](token, ...values));
    });
  }

  callSync(name, ...values) {
    return this.takeSync((object) => object[name](undefined, ...values));
  }

  /** Whoever stopped in the middle of a batch goes on before this record; the next call is told why not. */
  async goBack(lsn) {
    try {
      await this.call('seek', () => toPosition(lsn));
    } catch (error) {
      this.#trouble = error;
    }
  }

  goBackSync(lsn) {
    try {
      this.callSync('seek', ...toPosition(lsn));
    } catch (error) {
      this.#trouble = error;
    }
  }

  #begin() {
    if (this.#isBusy) throw invalid('the cursor is in use: wait for the call before');
    if (this.#trouble !== undefined) {
      const trouble = this.#trouble;
      this.#trouble = undefined;
      throw trouble;
    }
    this.#isBusy = true;
  }
}

/**
 * The records of a cursor's batches, one by one. An iterator of its own: a generator takes three
 * times as long for each record.
 */
class Records {
  #turn;
  #batches;
  #batch = null;
  #at = 0;
  /** Settled when the batch that is on its way is there, or is not. */
  #filling = null;

  constructor(turn, batches) {
    this.#turn = turn;
    this.#batches = batches;
  }

  next() {
    const batch = this.#batch;
    if (batch !== null && this.#at < batch.length) {
      return Promise.resolve({ done: false, value: batch.record(this.#at++) });
    }
    // Whoever asks while a batch is on its way gets the record after that one's first.
    if (this.#filling !== null) return this.#filling.then(() => this.next());
    const filling = this.#nextBatch();
    this.#filling = filling.then(
      () => (this.#filling = null),
      () => (this.#filling = null),
    );
    return filling;
  }

  async #nextBatch() {
    this.#batch = null;
    const { done, value } = await this.#batches.next();
    if (done) return { done, value: undefined };
    this.#batch = value;
    this.#at = 1;
    return { done: false, value: value.record(0) };
  }

  /** Whoever stops in the middle goes on behind the record that was seen last. */
  async return(value) {
    const batch = this.#batch;
    this.#batch = null;
    await this.#batches.return();
    if (batch !== null && this.#at < batch.length) await this.#turn.goBack(batch.lsn(this.#at));
    return { done: true, value };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/** A place in a log. */
class Cursor {
  #turn;
  #options;

  constructor(log, native, options) {
    this.log = log;
    this.#turn = new Turn(this, (token) => native.cursor(token, ...options.from));
    this.#options = options;
  }

  async next() {
    return one(await this.#turn.call('read', () => [1, ONE_BYTES]));
  }

  nextSync() {
    return this.#turn.takeSync((object) => one(readInto(object, 1, ONE_BYTES)));
  }

  async prev() {
    return one(await this.#turn.call('prev'));
  }

  prevSync() {
    return one(this.#turn.callSync('prev'));
  }

  async readBatch(count = this.#options.records) {
    const { bytes } = this.#options;
    return new RecordBatch(await this.#turn.call('read', () => [whole(count), bytes]));
  }

  readBatchSync(count = this.#options.records) {
    const { bytes } = this.#options;
    return this.#turn.takeSync((object) => new RecordBatch(readInto(object, count, bytes)));
  }

  seek(to) {
    return this.#turn.call('seek', () => toPosition(to, 'to'));
  }

  seekSync(to) {
    this.#turn.callSync('seek', ...toPosition(to, 'to'));
  }

  nextLsn() {
    return this.#turn.call('nextLsn');
  }

  nextLsnSync() {
    return this.#turn.callSync('nextLsn');
  }

  time() {
    return this.#turn.call('time');
  }

  timeSync() {
    return this.#turn.callSync('time');
  }

  async *batches() {
    if (this.#options.reverse) throw invalid('batches are read onwards: iterate over the records');
    const { signal } = this.#options;
    for (;;) {
      if (signal?.aborted) throw aborted(signal);
      const batch = await this.readBatch();
      if (batch.length === 0) return;
      yield batch;
    }
  }

  [Symbol.asyncIterator]() {
    return this.#options.reverse ? this.#backwards() : new Records(this.#turn, this.batches());
  }

  async *#backwards() {
    const { signal } = this.#options;
    for (;;) {
      if (signal?.aborted) throw aborted(signal);
      const record = await this.prev();
      if (record === null) return;
      yield record;
    }
  }

  *[Symbol.iterator]() {
    if (this.#options.reverse) {
      for (let record; (record = this.prevSync()) !== null; ) yield record;
      return;
    }
    for (;;) {
      const batch = this.readBatchSync();
      if (batch.length === 0) return;
      let at = 0;
      try {
        while (at < batch.length) yield batch.record(at++);
      } finally {
        if (at < batch.length) this.#turn.goBackSync(batch.lsn(at));
      }
    }
  }
}

/** A cursor that waits at the end of the log for more. */
class Follower {
  #turn;
  #options;

  constructor(log, native, options) {
    this.log = log;
    this.#turn = new Turn(this, (token) => native.follow(token, ...options.from));
    this.#options = options;
  }

  next(options) {
    return this.#turn.take(async (object) => {
      const { timeoutMs } = toOptions(options, NEXT_OPTIONS);
      const limit = timeoutMs === undefined ? -1 : toMilliseconds(timeoutMs, 'options.timeoutMs');
      return one(await this.#wait(object, 1, ONE_BYTES, limit));
    });
  }

  readBatch(count = this.#options.records) {
    const { bytes } = this.#options;
    return this.#turn.take(
      async (object) => new RecordBatch(await this.#wait(object, whole(count), bytes, -1)),
    );
  }

  seek(to) {
    return this.#turn.call('seek', () => toPosition(to, 'to'));
  }

  nextLsn() {
    return this.#turn.call('nextLsn');
  }

  async *batches() {
    for (;;) yield await this.readBatch();
  }

  [Symbol.asyncIterator]() {
    return new Records(this.#turn, this.batches());
  }

  /** Reads, and waits for it until there is something, the time is up or the signal says so. */
  async #wait(object, count, bytes, timeoutMs) {
    const { signal } = this.#options;
    if (signal?.aborted) throw aborted(signal);
    let token;
    let timer;
    const reading = promised(this, (given) => {
      token = given;
      object.read(given, count, bytes, timeoutMs === 0);
    });
    // Where nobody waits any more the answer is on its way: it settles the promise itself.
    const onAbort = () => object.giveUp() && giveUp(token, aborted(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    // A record that is there when the time is up is not left out.
    if (timeoutMs > 0) timer = setTimeout(() => object.lookOnce(), timeoutMs);
    try {
      return await reading;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** Memory for one record that is not large; a larger one comes in memory of its own. */
const ONE_BYTES = 1024;

function one(bytes) {
  return bytes.length === 0 ? null : first(bytes);
}

function whole(count) {
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 30) {
    throw invalid(`count is ${count}: it must be a whole number from 1 to 2 ** 30`);
  }
  return count;
}

/** Reads on this thread, into memory of its own. */
function readInto(object, count, bytes) {
  for (let room = bytes; ; ) {
    const memory = Buffer.allocUnsafeSlow(room);
    const filled = object.readInto(memory, whole(count));
    if (filled >= 0) return memory.subarray(0, filled);
    room = -filled;
  }
}

module.exports = { Cursor, Follower };
