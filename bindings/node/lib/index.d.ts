/// <reference types="node" />
/**
 * An embeddable, crash-safe write-ahead log.
 *
 * LSNs (log sequence numbers) come out as `bigint`; where one goes in, a `number` will do too.
 * Every function that returns a promise works off the event loop and rejects with what it would
 * have thrown; a pending promise keeps the process alive, an open log alone does not. A function
 * whose name ends in `Sync` blocks the event loop until it is done.
 *
 * Errors are {@link WalError}s, but for arguments of a wrong type: those are `TypeError`s with the
 * code `ERR_INVALID_ARG_TYPE` (or `ERR_INVALID_ARG_VALUE` for an option that does not exist).
 */

import type { Readable, Writable } from 'node:stream';

/** A record's bytes; a string is taken as UTF-8. */
export type Bytes = string | NodeJS.ArrayBufferView;
/** An LSN that goes in. */
export type Lsn = bigint | number;
/** A whole number that goes in. */
export type Count = bigint | number;
/** A time that goes in: a Date, or nanoseconds since 1970. */
export type Time = Date | bigint;
/**
 * What an acknowledgement promises: `disk` survives power loss, `os` the death of the process,
 * `buffered` neither.
 */
export type Level = 'disk' | 'os' | 'buffered';
/**
 * A place between two records: before the first one, before this LSN, after the last one, or before
 * the first record committed at this time or later.
 */
export type Position = 'first' | 'end' | Lsn | Date | { timeNs: bigint };

/** How a log is opened. Most programs choose the level at the most. */
export interface OpenOptions {
  /** Opens beside a live writer or after a crash; takes no lock and changes nothing. */
  readOnly?: boolean;
  /** What an acknowledgement promises unless the call says otherwise. Default: `disk`. */
  level?: Level;
  /** Sync at the latest this long after a record was written, below the disk level. */
  syncEveryMs?: Count;
  /** Sync at the latest when this many bytes were written since the last sync. */
  syncBytes?: Count;
  /** Size of a segment file, 64 KiB to 4 GiB, a multiple of 4 KiB. Default: 64 MiB. */
  segmentBytes?: Count;
  /** The longest record accepted. Default: 64 MiB. */
  recordBytesMax?: Count;
  /** The largest batch accepted, the sum of its payloads. Default: 256 MiB. */
  batchBytesMax?: Count;
  /** Memory for records on their way to the kernel. Default: 16 MiB. */
  ringBytes?: Count;
  /** How long a flush may wait for more records; 0, the default, is the fastest. */
  maxBatchDelayUs?: Count;
  /** About how much one flush takes at the most. Default: 4 MiB. */
  maxBatchBytes?: Count;
  /** Size of all segment files together that is not exceeded; no limit unless given. */
  maxBytes?: Count;
  /**
   * What an append at `maxBytes` comes to: `reject` fails, `block` waits for a trim (do not block
   * in `appendSync` when the same thread trims), `trimOldest` drops the oldest segments.
   */
  atCapacity?: 'reject' | 'block' | 'trimOldest';
  /** Trim whole segments so that about this many bytes of records are kept. */
  retentionBytes?: Count;
  /** Trim whole segments whose records are all older than this. */
  retentionAgeMs?: Count;
  /** Trim whole segments so that about this many records are kept. */
  retentionRecords?: Count;
  /** How long opening waits for another writer to go. Default: 0, `ERR_WAL_LOCKED` at once. */
  lockWaitMs?: Count;
  /** The first LSN of a log that is created by this opening. Default: 1. */
  firstLsn?: Lsn;
  /** Whether a missing log is created. Default: true. */
  create?: boolean;
  /** How the active segment is written. Default: `auto`. */
  io?: 'auto' | 'buffered' | 'direct';
  /** How records are read: through a mapping, or with `pread`. Default: `map`. */
  readMode?: 'map' | 'pread';
  /** Pads every commit to a full block. Default: false. */
  padToBlock?: boolean;
}

/** What one append asks for beyond the log's options. */
export interface AppendOptions {
  /** The level of this append. */
  level?: Level;
  /**
   * How long to wait for room in memory or in a log that blocks at its capacity: 0 for not at all
   * (`ERR_WAL_WOULD_BLOCK`), else at most this long (`ERR_WAL_TIMEOUT`). Default: Infinity.
   */
  waitMs?: number;
  /** The commit time to record, for copies and imports. */
  time?: Time;
}

/** How a cursor reads. */
export interface CursorOptions {
  /** Where it begins. Default: `first`, in reverse `end`. */
  from?: Position | undefined;
  /** Iterates backwards. */
  reverse?: false | undefined;
  /** Waits at the end for more. */
  follow?: false | undefined;
  /** Ends iterations and waits with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** How many records are read at once at the most. Default: 1024. */
  batchRecords?: number | undefined;
  /** How many bytes are read at once; a larger record comes alone. Default: 256 KiB. */
  batchBytes?: number | undefined;
}

/** A cursor that follows. */
export type FollowOptions = Omit<CursorOptions, 'follow'> & { follow: true };
/** A cursor that iterates backwards. */
export type ReverseOptions = Omit<CursorOptions, 'reverse'> & { reverse: true };

/** Both ends of a range of LSNs. */
export interface LsnRange {
  first: bigint;
  last: bigint;
}

/** A record. */
export class WalRecord {
  private constructor();
  /** Its position in the log. */
  readonly lsn: bigint;
  /**
   * Its bytes. They may share memory with other records that were read in the same batch: copy what
   * is to be kept for long.
   */
  readonly data: Buffer;
  /** Whether the next record belongs to the same batch. */
  readonly batchContinues: boolean;
}

/** Records that were read at once; made to be read without an object for each. */
export class RecordBatch implements Iterable<WalRecord> {
  private constructor();
  /** The packed bytes all of them lie in. */
  readonly buffer: Buffer;
  /** How many records. */
  readonly length: number;
  lsn(index: number): bigint;
  /** The bytes of a record, within `buffer`. */
  data(index: number): Buffer;
  batchContinues(index: number): boolean;
  record(index: number): WalRecord;
  [Symbol.iterator](): IterableIterator<WalRecord>;
}

/** What cursors and followers have in common. One call at a time. */
interface Reader extends AsyncIterable<WalRecord> {
  /** The log it reads. */
  readonly log: Log;
  /** Up to so many of the next records; of a cursor none at the end. */
  readBatch(count?: number): Promise<RecordBatch>;
  /** The next records, batch by batch. */
  batches(): AsyncIterableIterator<RecordBatch>;
  /** Moves to another position. After an error it is where it was. */
  seek(to: Position): Promise<void>;
  /** The LSN of the record after the place, whether it is there already or not. */
  nextLsn(): Promise<bigint>;
  [Symbol.asyncIterator](): AsyncIterableIterator<WalRecord>;
}

/**
 * A place between two records. An iteration ends at the end of the log; asked again, it goes on
 * where more was appended. Whoever leaves an iteration goes on behind the last record seen.
 */
export class Cursor implements Reader, Iterable<WalRecord> {
  private constructor();
  readonly log: Log;
  /** The record after the place, which moves past it; null at the end. */
  next(): Promise<WalRecord | null>;
  nextSync(): WalRecord | null;
  /** The record before the place, which moves back before it; null at the first record. */
  prev(): Promise<WalRecord | null>;
  prevSync(): WalRecord | null;
  readBatch(count?: number): Promise<RecordBatch>;
  readBatchSync(count?: number): RecordBatch;
  batches(): AsyncIterableIterator<RecordBatch>;
  seek(to: Position): Promise<void>;
  seekSync(to: Position): void;
  nextLsn(): Promise<bigint>;
  nextLsnSync(): bigint;
  /** When the record last returned was committed, in nanoseconds since 1970. */
  time(): Promise<bigint>;
  timeSync(): bigint;
  [Symbol.asyncIterator](): AsyncIterableIterator<WalRecord>;
  /** Reads on this thread, like everything synchronous. */
  [Symbol.iterator](): IterableIterator<WalRecord>;
}

/**
 * A cursor that waits at the end for more; it sees a record once it is at the log's level. Its
 * iteration ends with `ERR_WAL_CLOSED` when the log was closed and everything in it was seen.
 */
export class Follower implements Reader {
  private constructor();
  readonly log: Log;
  /** The next record; null when the time was up. */
  next(): Promise<WalRecord>;
  next(options: { timeoutMs: number }): Promise<WalRecord | null>;
  readBatch(count?: number): Promise<RecordBatch>;
  batches(): AsyncIterableIterator<RecordBatch>;
  seek(to: Position): Promise<void>;
  nextLsn(): Promise<bigint>;
  [Symbol.asyncIterator](): AsyncIterableIterator<WalRecord>;
}

/**
 * A few small facts that belong to the log and survive with it: a vote, a term, an offset. Each
 * change costs one sync. When it is acknowledged, it survives power loss.
 */
export class Values {
  private constructor();
  get(key: Bytes): Promise<Buffer | null>;
  getSync(key: Bytes): Buffer | null;
  set(key: Bytes, value: Bytes): Promise<void>;
  setSync(key: Bytes, value: Bytes): void;
  /** Whether it was set. */
  delete(key: Bytes): Promise<boolean>;
  deleteSync(key: Bytes): boolean;
  /** Changes several keys at once, all or nothing; null deletes. */
  update(changes: ValueChanges): Promise<void>;
  updateSync(changes: ValueChanges): void;
  /** Keys and their values, in the order of the keys. */
  list(): Promise<[key: Buffer, value: Buffer][]>;
  listSync(): [key: Buffer, value: Buffer][];
}

/** Keys and values: an object, a Map, or pairs. */
export type ValueChanges = Record<string, Bytes | null> | Iterable<[Bytes, Bytes | null]>;

/** An open log. {@link open} makes one. */
export class Log implements AsyncDisposable {
  private constructor();

  /**
   * Appends one record; resolves to its LSN once it is on disk (or at the level asked for). The
   * bytes are copied before the call returns. Calls get their LSNs in order; do not wait for each
   * one, and hundreds share one sync.
   */
  append(record: Bytes, options?: AppendOptions): Promise<bigint>;
  appendSync(record: Bytes, options?: AppendOptions): bigint;
  /** Appends several records: after a crash all of them are there or none. */
  appendBatch(records: readonly Bytes[], options?: AppendOptions): Promise<LsnRange>;
  appendBatchSync(records: readonly Bytes[], options?: AppendOptions): LsnRange;
  /**
   * Appends a batch in the packed layout, little-endian: per record a 32-bit length, 32 bits of
   * flags (0), a 64-bit LSN (0), the payload, and zeros up to a multiple of eight.
   */
  appendPacked(packed: NodeJS.ArrayBufferView, options?: AppendOptions): Promise<LsnRange>;
  appendPackedSync(packed: NodeJS.ArrayBufferView, options?: AppendOptions): LsnRange;
  /** Appends if the next LSN is this one, else rejects with `ERR_WAL_CONFLICT`. */
  appendAt(lsn: Lsn, record: Bytes, options?: AppendOptions): Promise<bigint>;
  appendAtSync(lsn: Lsn, record: Bytes, options?: AppendOptions): bigint;
  /** Makes everything appended before durable; resolves to the durable LSN. */
  sync(): Promise<bigint | null>;
  syncSync(): bigint | null;
  /**
   * Waits until a record is durable, also one yet to be appended; resolves to the durable LSN. Costs
   * a thread while it waits: where the append itself can be awaited, do that.
   */
  waitDurable(lsn: Lsn, options?: { timeoutMs?: number }): Promise<bigint>;
  /**
   * Has `listener` called when the durable LSN has advanced, and with the cause when the log can
   * write no more. Keeps no process alive.
   */
  onDurable(listener: (error: WalError | null, lsn?: bigint) => void): DurableSubscription;

  read(lsn: Lsn): Promise<WalRecord>;
  readSync(lsn: Lsn): WalRecord;
  /** Reads records by their LSNs, in the order given, many at once. */
  readMany(lsns: Iterable<Lsn>): AsyncIterableIterator<WalRecord>;
  /** When a record was committed, in nanoseconds since 1970. */
  timeOf(lsn: Lsn): Promise<bigint>;
  timeOfSync(lsn: Lsn): bigint;
  /** A cursor; with `follow` one that waits at the end. Whether its place is there is told by its first call. */
  cursor(options: FollowOptions): Follower;
  cursor(options?: CursorOptions | ReverseOptions): Cursor;
  /**
   * Calls back with every record from a position up to the last one visible at the call, until a
   * call returns (or resolves to) false. Resolves to the last LSN it was called with.
   */
  replay(
    callback: (record: WalRecord) => unknown,
    options?: { from?: Position; signal?: AbortSignal },
  ): Promise<bigint | null>;
  /** An object stream of records. */
  createReadStream(options?: ReadStreamOptions): Readable;
  /** A stream that appends each chunk as one record, and what has piled up together. */
  createWriteStream(options?: WriteStreamOptions): Writable;

  /** Drops every record before this one; resolves to the first one still there. */
  trim(before: Lsn): Promise<bigint | null>;
  trimSync(before: Lsn): bigint | null;
  /** Drops every record after this one. Their LSNs are issued again. */
  truncate(after: Lsn): Promise<void>;
  truncateSync(after: Lsn): void;
  /** Drops every record; the next one gets this LSN. */
  resetTo(next: Lsn): Promise<void>;
  resetToSync(next: Lsn): void;
  /** The log's small key-value state. */
  readonly values: Values;
  stats(): Promise<Stats>;
  statsSync(): Stats;
  /** Copies the log, while it is being written, to a new directory. */
  copyTo(path: string | Buffer | URL): Promise<CopyReport>;

  /**
   * Makes everything durable, whatever its level, and lets the lock go. Appends called before are
   * done first. Closing twice is closing once; every other call is `ERR_WAL_CLOSED` from then on.
   */
  close(): Promise<void>;
  closeSync(): void;
  [Symbol.asyncDispose](): Promise<void>;

  /** The first record there is. */
  readonly firstLsn: bigint | null;
  /** The last record readers see. */
  readonly lastLsn: bigint | null;
  /** The LSN the next record gets. */
  readonly nextLsn: bigint;
  /** The last record on stable storage. */
  readonly durableLsn: bigint | null;
  /** The last record given to the kernel. */
  readonly writtenLsn: bigint | null;
  /** The last record handed to the engine. */
  readonly submittedLsn: bigint | null;
  /** The directory. */
  readonly path: string;
  /** The log's identity, 32 hexadecimal digits. */
  readonly uuid: string;
  /** What the opening found and did. */
  readonly recovery: RecoveryReport;
}

export interface DurableSubscription extends Disposable {
  /** Ends the calls. */
  unsubscribe(): void;
}

export interface ReadStreamOptions {
  from?: Position;
  reverse?: boolean;
  follow?: boolean;
  signal?: AbortSignal;
  batchRecords?: number;
  batchBytes?: number;
  highWaterMark?: number;
}

export interface WriteStreamOptions {
  level?: Level;
  signal?: AbortSignal;
  highWaterMark?: number;
}

/** What an opening found and did. */
export interface RecoveryReport {
  /** The row of the decision table of docs/DURABILITY.md. */
  kind:
    | 'created'
    | 'clean'
    | 'whole'
    | 'torn-tail'
    | 'hole-below-watermark'
    | 'bad-header'
    | 'missing-segment'
    | 'foreign-segment'
    | 'state-stale'
    | 'state-lost'
    | 'newer-version';
  created: boolean;
  firstLsn: bigint | null;
  lastLsn: bigint | null;
  /** The tail that was cut off, if one was: it was never acknowledged. */
  cut: Cut | null;
  /** Anything else worth knowing, a sentence each. */
  notes: string[];
  bytesScanned: bigint;
  commitsScanned: bigint;
  bytesRewritten: bigint;
  durationMs: number;
}

/** Bytes at the end of the log that belong to no whole commit. */
export interface Cut {
  segment: bigint;
  offset: bigint;
  bytes: bigint;
  reason: string;
}

export interface Segment {
  id: bigint;
  firstLsn: bigint;
  lastLsn: bigint | null;
  /** Where its valid bytes end. */
  end: bigint;
  fileBytes: bigint;
  sealed: boolean;
  epoch: bigint;
  createdNs: bigint;
}

export interface Latency {
  count: bigint;
  meanMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Event counts since the log was opened. */
export interface Counters {
  records: bigint;
  recordBytes: bigint;
  commits: bigint;
  bytesWritten: bigint;
  syncs: bigint;
  stateSyncs: bigint;
  rotations: bigint;
  spareMisses: bigint;
  recycled: bigint;
  trimmed: bigint;
  waitsForRoom: bigint;
  flushesInline: bigint;
  flushesBackground: bigint;
  reads: bigint;
}

/** A snapshot of a log's state. */
export interface Stats {
  level: Level;
  epoch: bigint;
  firstLsn: bigint | null;
  lastLsn: bigint | null;
  nextLsn: bigint;
  submittedLsn: bigint | null;
  writtenLsn: bigint | null;
  durableLsn: bigint | null;
  /** Why the log can write no more, if it cannot. */
  poisoned: string | null;
  directIo: boolean;
  counters: Counters;
  writeLatency: Latency;
  syncLatency: Latency;
  /** Oldest first; the last one is active. */
  segments: Segment[];
  spares: bigint;
  ringBytesUsed: bigint;
}

/** What a log on disk is. */
export interface Info {
  uuid: string;
  epoch: bigint;
  /** Whether the last writer closed it in order. */
  clean: boolean;
  /** Whether a writer has it open now. */
  writerAlive: boolean;
  firstLsn: bigint | null;
  lastLsn: bigint | null;
  nextLsn: bigint;
  durableThrough: { segment: bigint; offset: bigint };
  firstTimeNs: bigint | null;
  lastTimeNs: bigint | null;
  segments: Segment[];
  spares: bigint;
  values: bigint;
  diskBytes: bigint;
  validBytes: bigint;
  /** What an opening would find and decide now. */
  recovery: RecoveryReport;
}

/** One wrong place. */
export interface Finding {
  code: ErrorCode;
  message: string;
  path: string | null;
  segment: bigint | null;
  offset: bigint | null;
  errno: number | null;
  /** The records at stake, as far as the readable bytes tell. */
  lsns: LsnRange | null;
  /** False for what the log holds twice or can be built again. */
  recordsAtStake: boolean;
}

export interface VerifyReport {
  /** Empty when every byte is what was written. */
  findings: Finding[];
  segments: bigint;
  commits: bigint;
  records: bigint;
  bytes: bigint;
  firstLsn: bigint | null;
  lastLsn: bigint | null;
  /** Bytes at the end that a crash or a live writer left; no damage. */
  tornTail: Cut | null;
}

export interface RepairReport {
  /** What was (or would be) changed, a sentence each. */
  actions: string[];
  /** The records lost by it. */
  lost: LsnRange[];
  /** The directory with copies of every file that was changed. */
  backup: string | null;
  changed: boolean;
}

export interface CopyReport {
  records: bigint;
  firstLsn: bigint | null;
  lastLsn: bigint | null;
  uuid: string;
}

/** The codes of errors, and what the caller does next. */
export type ErrorCode =
  /** Correct the argument or the option; nothing was changed. */
  | 'ERR_WAL_INVALID'
  /** There is no such log, record or key: create it, or go on without it. */
  | 'ERR_WAL_NOT_FOUND'
  /** Go on from the error's LSN, the first record still there. */
  | 'ERR_WAL_TRIMMED'
  /** Go back to the error's LSN, the last record still there. */
  | 'ERR_WAL_TRUNCATED'
  /** Read up to the error's LSN, the next one of the log, and decide again; nothing was appended. */
  | 'ERR_WAL_CONFLICT'
  /** Open the log again. */
  | 'ERR_WAL_CLOSED'
  /** Stop the other writer, or wait for it with the option `lockWaitMs`. */
  | 'ERR_WAL_LOCKED'
  /** Free space and try again; the records were surely not written. */
  | 'ERR_WAL_FULL'
  /** Wait again: what was waited for goes on. */
  | 'ERR_WAL_TIMEOUT'
  /** Try again later, or allow the call to wait. */
  | 'ERR_WAL_WOULD_BLOCK'
  /** Reopen the log: an earlier write or sync failed, and reopening finds out what is on disk. */
  | 'ERR_WAL_POISONED'
  /** Look at the system's error number; after a failed append, reopen the log to find out. */
  | 'ERR_WAL_IO'
  /** Verify the log, then restore it from a copy or salvage it with a repair. */
  | 'ERR_WAL_CORRUPT'
  /** Upgrade: the file belongs to a newer version or uses a feature this one does not know. */
  | 'ERR_WAL_UNSUPPORTED'
  /** Open the log in this process; the handle belongs to the parent. */
  | 'ERR_WAL_FORKED'
  /** Report it: this is a bug in libwal. */
  | 'ERR_WAL_INTERNAL';

/** Why a call did not do what it was asked. */
export class WalError extends Error {
  private constructor();
  readonly code: ErrorCode;
  /**
   * The first kept record of `TRIMMED`, the last of `TRUNCATED`, the next LSN of `CONFLICT`, the
   * first record at stake of `CORRUPT`.
   */
  readonly lsn?: bigint;
  /** The last record at stake of `CORRUPT`. */
  readonly lastLsn?: bigint;
  readonly segment?: bigint;
  readonly offset?: bigint;
  /** The file or directory it is about. */
  readonly path?: string;
  /** The system's error number, negative as Node has them. */
  readonly errno?: number;
}

/** Opens the log in a directory, creates it if it is missing, and recovers what a crash left. */
export function open(path: string | Buffer | URL, options?: OpenOptions): Promise<Log>;
export function openSync(path: string | Buffer | URL, options?: OpenOptions): Log;
/** Removes a log: all its files, and the directory if nothing else is in it. */
export function destroy(path: string | Buffer | URL): Promise<void>;
export function destroySync(path: string | Buffer | URL): void;
/** Tells what a log is without reading all of it; changes nothing. */
export function info(path: string | Buffer | URL): Promise<Info>;
export function infoSync(path: string | Buffer | URL): Info;
/** Reads every byte of a log and holds it against its checksums; changes nothing. */
export function verify(
  path: string | Buffer | URL,
  options?: { onProgress?: (bytesDone: number, bytesTotal: number) => void },
): Promise<VerifyReport>;
export function verifySync(path: string | Buffer | URL): VerifyReport;
/** Makes a damaged log one that opens and verifies, and says exactly what is lost. */
export function repair(
  path: string | Buffer | URL,
  options?: { dryRun?: boolean },
): Promise<RepairReport>;
export function repairSync(path: string | Buffer | URL, options?: { dryRun?: boolean }): RepairReport;

/** An event of the library. */
export interface LogEvent {
  level: LogLevel;
  /** The part of the library it comes from. */
  target: string;
  message: string;
}
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/**
 * Has the events of all logs of the process up to a level (`info` unless given) told to `listener`;
 * null ends it. Each worker thread may have a listener of its own. Keeps no process alive; without
 * a listener the library is silent.
 */
export function setLogger(
  listener: ((event: LogEvent) => void) | null,
  options?: { level?: LogLevel },
): void;

/** The library's version. */
export const version: string;
