'use strict';
// libwal: an embeddable, crash-safe write-ahead log. See index.d.ts for what each call promises.

const { native, listen, promised, unlisten } = require('./desk.js');
const { WalError, codeOf } = require('./errors.js');
const { Cursor, Follower } = require('./cursor.js');
const { Log, makeLog } = require('./log.js');
const { RecordBatch, WalRecord } = require('./packed.js');
const { Values } = require('./state.js');
const { oneOf, toBoolean, toFunction, toOpenOptions, toOptions, toPath } = require('./values.js');

const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'];
const LOGGER_OPTIONS = new Set(['level']);
const REPAIR_OPTIONS = new Set(['dryRun']);
const VERIFY_OPTIONS = new Set(['onProgress']);

/** A call that needs no log; wrong arguments reject. */
function call(name, toArguments) {
  return promised(undefined, (token) => native[name](token, ...toArguments()));
}

async function open(path, options) {
  return makeLog(await call('open', () => [toPath(path), toOpenOptions(options)]));
}

function openSync(path, options) {
  return makeLog(native.open(undefined, toPath(path), toOpenOptions(options)));
}

function destroy(path) {
  return call('destroy', () => [toPath(path)]);
}

function destroySync(path) {
  native.destroy(undefined, toPath(path));
}

function info(path) {
  return call('info', () => [toPath(path)]);
}

function infoSync(path) {
  return native.info(undefined, toPath(path));
}

async function verify(path, options) {
  const { onProgress } = toOptions(options, VERIFY_OPTIONS);
  const listener = onProgress && listen(toFunction(onProgress, 'options.onProgress'));
  try {
    return withCodes(await call('verify', () => [toPath(path), listener]));
  } finally {
    if (listener !== undefined) unlisten(listener);
  }
}

function verifySync(path) {
  return withCodes(native.verify(undefined, toPath(path), undefined));
}

/** Findings with the codes of the errors they are. */
function withCodes(report) {
  report.findings = report.findings.map(({ kind, ...finding }) => ({
    code: codeOf(kind),
    ...finding,
  }));
  return report;
}

function repair(path, options) {
  return call('repair', () => repairArguments(path, options));
}

function repairSync(path, options) {
  return native.repair(undefined, ...repairArguments(path, options));
}

function repairArguments(path, options) {
  const { dryRun = false } = toOptions(options, REPAIR_OPTIONS);
  return [toPath(path), toBoolean(dryRun, 'options.dryRun')];
}

let logger;

/** Has the library's events told to `listener`; null ends it. */
function setLogger(listener, options) {
  const { level = 'info' } = toOptions(options, LOGGER_OPTIONS);
  oneOf(level, 'options.level', LOG_LEVELS);
  if (logger !== undefined) unlisten(logger);
  logger = undefined;
  if (listener !== null) {
    toFunction(listener, 'listener');
    logger = listen((eventLevel, target, message) =>
      listener({ level: eventLevel, target, message }),
    );
  }
  native.setLogger(logger, level);
}

const version = native.version();

exports.open = open;
exports.openSync = openSync;
exports.destroy = destroy;
exports.destroySync = destroySync;
exports.info = info;
exports.infoSync = infoSync;
exports.verify = verify;
exports.verifySync = verifySync;
exports.repair = repair;
exports.repairSync = repairSync;
exports.setLogger = setLogger;
exports.version = version;
exports.Log = Log;
exports.Cursor = Cursor;
exports.Follower = Follower;
exports.RecordBatch = RecordBatch;
exports.WalRecord = WalRecord;
exports.WalError = WalError;
exports.Values = Values;
