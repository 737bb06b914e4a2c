'use strict';
// A log's small key-value state.

const { promised } = require('./desk.js');
const { wrongType } = require('./errors.js');
const { toBytes } = require('./values.js');

/** A few small facts that belong to a log and survive with it: a vote, a term, an offset. */
class Values {
  #log;
  #native;

  constructor(log, object) {
    this.#log = log;
    this.#native = object;
  }

  get(key) {
    return this.#call('getValue', () => [toBytes(key, 'key')]);
  }

  getSync(key) {
    return this.#native.getValue(undefined, toBytes(key, 'key'));
  }

  set(key, value) {
    return this.#call('updateValues', () => one(key, value));
  }

  setSync(key, value) {
    this.#native.updateValues(undefined, ...one(key, value));
  }

  delete(key) {
    return this.#call('deleteValue', () => [toBytes(key, 'key')]);
  }

  deleteSync(key) {
    return this.#native.deleteValue(undefined, toBytes(key, 'key'));
  }

  update(changes) {
    return this.#call('updateValues', () => many(changes));
  }

  updateSync(changes) {
    this.#native.updateValues(undefined, ...many(changes));
  }

  async list() {
    return pairs(await this.#call('listValues', () => []));
  }

  listSync() {
    return pairs(this.#native.listValues());
  }

  #call(name, toArguments) {
    return promised(this.#log, (token) => this.#native[name](token, ...toArguments()));
  }
}

function one(key, value) {
  return [[toBytes(key, 'key')], [toBytes(value, 'value')]];
}

/** Keys and values of a Map, of pairs, or of an object; null and undefined delete. */
function many(changes) {
  let entries = changes;
  if (changes === null || typeof changes !== 'object') {
    throw wrongType('changes', 'an object, a Map or an iterable of pairs', changes);
  }
  if (typeof changes[Symbol.iterator] !== 'function') entries = Object.entries(changes);
  const keys = [];
  const values = [];
  for (const [key, value] of entries) {
    keys.push(toBytes(key, 'a key'));
    values.push(value === null || value === undefined ? null : toBytes(value, 'a value'));
  }
  return [keys, values];
}

function pairs([keys, values]) {
  return keys.map((key, index) => [key, values[index]]);
}

module.exports = { Values };
