'use strict';
// Checks and converts what users pass, so that the native part only sees what is well-formed.

const { fileURLToPath } = require('node:url');
const { isDate, isUint8Array } = require('node:util').types;
const { invalid, wrongType } = require('./errors.js');

const U64_MAX = 2n ** 64n - 1n;
const LEVELS = ['buffered', 'os', 'disk'];

/** A record's bytes: strings are UTF-8, as everywhere in Node. */
function toBytes(value, name) {
  if (isUint8Array(value)) return value;
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw wrongType(name, 'a string, Buffer, TypedArray or DataView', value);
}

/** A non-negative whole number as a bigint. */
function toU64(value, name) {
  if (typeof value === 'bigint') {
    if (value < 0n || value > U64_MAX) throw invalid(`${name} is ${value}: out of range`);
    return value;
  }
  if (typeof value !== 'number') throw wrongType(name, 'a bigint or a number', value);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalid(`${name} is ${value}: it must be a whole number from 0 on`);
  }
  return BigInt(value);
}

/** A time as nanoseconds since 1970: a Date, or a bigint of nanoseconds. */
function toNanoseconds(value, name) {
  if (typeof value === 'bigint') return toU64(value, name);
  if (!isDate(value)) throw wrongType(name, 'a Date or a bigint of nanoseconds', value);
  const time = value.getTime();
  if (Number.isNaN(time) || time < 0) throw invalid(`${name} is ${value}: out of range`);
  return BigInt(time) * 1_000_000n;
}

/** A position as the native part wants it: a kind and a number. */
function toPosition(value, name) {
  if (value === undefined || value === 'first') return [0, 0n];
  if (value === 'end') return [2, 0n];
  if (typeof value === 'bigint' || typeof value === 'number') return [1, toU64(value, name)];
  if (isDate(value)) return [3, toNanoseconds(value, name)];
  if (value !== null && typeof value === 'object' && 'timeNs' in value) {
    return [3, toU64(value.timeNs, `${name}.timeNs`)];
  }
  throw wrongType(name, "'first', 'end', an LSN, a Date or { timeNs }", value);
}

/** A path as bytes. */
function toPath(value) {
  let path = value;
  if (value instanceof URL) path = fileURLToPath(value);
  if (typeof path === 'string') path = Buffer.from(path);
  if (!isUint8Array(path)) throw wrongType('path', 'a string, Buffer or URL', value);
  if (path.length === 0) throw invalid('path is empty');
  if (path.includes(0)) throw invalid('path has a null byte in it');
  return path;
}

/** An object of options, none if it was left out. Unknown names are mistakes worth hearing of. */
function toOptions(value, known, name = 'options') {
  if (value === undefined) return {};
  if (value === null || typeof value !== 'object') throw wrongType(name, 'an object', value);
  for (const key of Object.keys(value)) {
    if (!known.has(key)) {
      const error = new TypeError(`${name}.${key} is no option`);
      error.code = 'ERR_INVALID_ARG_VALUE';
      throw error;
    }
  }
  return value;
}

function oneOf(value, name, values) {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value);
  if (!values.includes(value)) {
    throw invalid(`${name} is '${value}': it must be one of ${values.join(', ')}`);
  }
  return value;
}

function toBoolean(value, name) {
  if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value);
  return value;
}

/** How each option of opening is read. */
const OPEN_OPTIONS = new Map([
  ['readOnly', toBoolean],
  ['level', (value, name) => oneOf(value, name, LEVELS)],
  ['syncEveryMs', toU64],
  ['syncBytes', toU64],
  ['segmentBytes', toU64],
  ['recordBytesMax', toU64],
  ['batchBytesMax', toU64],
  ['ringBytes', toU64],
  ['maxBatchDelayUs', toU64],
  ['maxBatchBytes', toU64],
  ['maxBytes', toU64],
  ['atCapacity', (value, name) => oneOf(value, name, ['reject', 'block', 'trimOldest'])],
  ['retentionBytes', toU64],
  ['retentionAgeMs', toU64],
  ['retentionRecords', toU64],
  ['lockWaitMs', toU64],
  ['firstLsn', toU64],
  ['create', toBoolean],
  ['io', (value, name) => oneOf(value, name, ['auto', 'buffered', 'direct'])],
  ['readMode', (value, name) => oneOf(value, name, ['map', 'pread'])],
  ['padToBlock', toBoolean],
]);

function toOpenOptions(options) {
  const checked = {};
  for (const [name, value] of Object.entries(toOptions(options, OPEN_OPTIONS))) {
    if (value !== undefined) checked[name] = OPEN_OPTIONS.get(name)(value, `options.${name}`);
  }
  return checked;
}

const APPEND_OPTIONS = new Set(['level', 'waitMs', 'time']);

/** `[level, waitMs, timeNs]` as the native part wants them. */
function toAppendOptions(options) {
  const { level, waitMs, time } = toOptions(options, APPEND_OPTIONS);
  return [
    level === undefined ? null : oneOf(level, 'options.level', LEVELS),
    waitMs === undefined ? -1 : toMilliseconds(waitMs, 'options.waitMs'),
    time === undefined ? null : toNanoseconds(time, 'options.time'),
  ];
}

/** A time to wait; Infinity is as long as it takes. */
function toMilliseconds(value, name) {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value);
  if (Number.isNaN(value) || value < 0) throw invalid(`${name} is ${value}: it must be from 0 on`);
  return value === Infinity ? -1 : value;
}

function toSignal(value) {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw wrongType('options.signal', 'an AbortSignal', value);
  }
  return value;
}

function toFunction(value, name) {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value);
  return value;
}

module.exports = {
  oneOf,
  toAppendOptions,
  toBoolean,
  toBytes,
  toFunction,
  toMilliseconds,
  toNanoseconds,
  toOpenOptions,
  toOptions,
  toPath,
  toPosition,
  toSignal,
  toU64,
};
