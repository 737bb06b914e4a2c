'use strict';
// One class of errors; its code says what the caller does next.

const { getSystemErrorName } = require('node:util');

/** Why a call did not do what it was asked. */
class WalError extends Error {
  constructor(kind, message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = codeOf(kind);
    for (const name of ['lsn', 'lastLsn', 'segment', 'offset', 'path', 'errno', 'syscallCode']) {
      if (details[name] !== undefined && details[name] !== null) this[name] = details[name];
    }
  }
}
Object.defineProperty(WalError.prototype, 'name', {
  value: 'WalError',
  writable: true,
  configurable: true,
});

/** `ERR_WAL_NOT_FOUND` for the kind `not found`. */
function codeOf(kind) {
  return `ERR_WAL_${kind.replaceAll(' ', '_').replaceAll('/', '').toUpperCase()}`;
}

/** Called by the native part. */
function makeError(kind, message, lsn, segment, offset, path, errno, cause, lastLsn) {
  const details = { lsn, segment, offset, path, lastLsn, cause };
  if (errno !== undefined && errno !== null) {
    // As Node has them: negative, with the system's own error as the cause.
    details.errno = -errno;
    details.cause ??= systemError(errno, path);
  }
  return new WalError(kind, message, details);
}

function systemError(errno, path) {
  let code = `errno ${errno}`;
  try {
    code = getSystemErrorName(-errno);
  } catch {
    // A number that libuv has no name for.
  }
  const error = new Error(path ? `${code}: ${path}` : code);
  error.errno = -errno;
  error.code = code;
  return error;
}

function invalid(message) {
  return new WalError('invalid', message);
}

/** A value of a type that can never be right. */
function wrongType(name, expected, value) {
  const got = value === null ? 'null' : typeof value === 'object' ? nameOf(value) : typeof value;
  const error = new TypeError(`${name} must be ${expected}, not ${got}`);
  error.code = 'ERR_INVALID_ARG_TYPE';
  return error;
}

function nameOf(value) {
  return `an instance of ${value.constructor?.name ?? 'Object'}`;
}

/** What waits was told to stop. */
function aborted(signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  error.code = 'ABORT_ERR';
  return error;
}

module.exports = { WalError, aborted, codeOf, invalid, makeError, wrongType };
