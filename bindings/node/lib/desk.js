'use strict';
// The JavaScript end of the native part: which promise has which token, and who listens to what.

const { makeError } = require('./errors.js');
const { check, connect } = require('./native.js');

/** What one call of the native part settles at the most; it has the same number. */
const ROOM = 1024;
const tokens = new Uint32Array(ROOM);
const lsns = new BigUint64Array(2 * ROOM);

/** Promises in flight by their token; it also keeps what they belong to from being collected. */
const slots = [];
const freeTokens = [];

class Slot {
  constructor(resolve, reject, owner, isBatch) {
    this.resolve = resolve;
    this.reject = reject;
    this.owner = owner;
    this.isBatch = isBatch;
  }
}

// A promise's functions are taken out through these, so that no closure is made for each.
let takenResolve;
let takenReject;
const take = (resolve, reject) => {
  takenResolve = resolve;
  takenReject = reject;
};

/** Gives `start` a token and returns the promise that is settled when the native part says so. */
function promised(owner, start) {
  const promise = new Promise(take);
  const token = put(new Slot(takenResolve, takenReject, owner, false));
  try {
    start(token);
  } catch (error) {
    drop(token).reject(error);
  }
  return promise;
}

/**
 * The same for appends, without a closure: `submit(bytes, token, ...options)` says whether it took
 * the bytes; if not, `convert` makes bytes of them or throws.
 */
function promisedAppend(owner, isBatch, submit, bytes, options, convert) {
  const promise = new Promise(take);
  const token = put(new Slot(takenResolve, takenReject, owner, isBatch));
  try {
    const isTaken =
      options === undefined
        ? submit(bytes, token)
        : submit(bytes, token, options[0], options[1], options[2]);
    if (!isTaken) {
      const [level, waitMs, timeNs] = options ?? [null, -1, null];
      if (!submit(convert(bytes), token, level, waitMs, timeNs)) throw new Error('not bytes');
    }
  } catch (error) {
    drop(token).reject(error);
  }
  return promise;
}

function put(slot) {
  const token = freeTokens.length > 0 ? freeTokens.pop() : slots.length;
  slots[token] = slot;
  return token;
}

function drop(token) {
  const slot = slots[token];
  slots[token] = undefined;
  freeTokens.push(token);
  return slot;
}

/** Rejects the promise of a token, which the native part has promised not to settle any more. */
function giveUp(token, error) {
  drop(token).reject(error);
}

function settle(token, error, value) {
  const slot = drop(token);
  if (error === undefined) slot.resolve(value);
  else slot.reject(error);
}

function settleAppends(count) {
  for (let at = 0; at < count; at++) {
    const slot = drop(tokens[at]);
    const first = lsns[2 * at];
    slot.resolve(slot.isBatch ? { first, last: lsns[2 * at + 1] } : first);
  }
}

const listeners = new Map();
let nextListener = 0;

/** Returns the number under which the native part calls `listener`. */
function listen(listener) {
  nextListener = (nextListener + 1) >>> 0;
  listeners.set(nextListener, listener);
  return nextListener;
}

function unlisten(number) {
  listeners.delete(number);
}

function tell(number, a, b, c) {
  try {
    listeners.get(number)?.(a, b, c);
  } catch (error) {
    // What a listener throws is the program's affair, as with an EventTarget.
    process.nextTick(() => {
      throw error;
    });
  }
}

const native = connect([settle, settleAppends, tell, makeError], [tokens, lsns]);
check(native.version());

module.exports = { giveUp, listen, native, promised, promisedAppend, unlisten };
