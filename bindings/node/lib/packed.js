'use strict';
// The packed layout, in which many records cross in one call: per record a 32-bit length, 32 bits of
// flags, a 64-bit LSN, the payload, and zeros up to a multiple of eight; little-endian.

const { isUint8Array } = require('node:util').types;
const { toBytes } = require('./values.js');
const { wrongType } = require('./errors.js');

const HEADER_BYTES = 16;
const BATCH_CONTINUES = 1;
/** Memory for packing that is kept from call to call. */
const KEPT_BYTES = 64 * 1024;

/** A record of a log. Its data may share memory with records that were read with it. */
class WalRecord {
  constructor(lsn, data, batchContinues) {
    this.lsn = lsn;
    this.data = data;
    this.batchContinues = batchContinues;
  }
}

/** Records that were read at once, in the memory they came in. */
class RecordBatch {
  #view;
  #offsets;

  constructor(bytes) {
    this.buffer = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const offsets = [];
    for (let at = 0; at < bytes.length; at += sizeOf(this.#view.getUint32(at, true))) {
      offsets.push(at);
    }
    this.#offsets = offsets;
  }

  /** How many records. */
  get length() {
    return this.#offsets.length;
  }

  /** The LSN of the record at this index. */
  lsn(index) {
    return this.#view.getBigUint64(this.#offset(index) + 8, true);
  }

  /** The payload of the record at this index, in the batch's memory. */
  data(index) {
    const at = this.#offset(index);
    const start = at + HEADER_BYTES;
    return this.buffer.subarray(start, start + this.#view.getUint32(at, true));
  }

  /** Whether the batch it was appended with goes on behind the record at this index. */
  batchContinues(index) {
    return (this.#view.getUint32(this.#offset(index) + 4, true) & BATCH_CONTINUES) !== 0;
  }

  /** The record at this index. */
  record(index) {
    return new WalRecord(this.lsn(index), this.data(index), this.batchContinues(index));
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.length; index++) yield this.record(index);
  }

  #offset(index) {
    const offset = this.#offsets[index];
    if (offset === undefined) throw new RangeError(`there is no record ${index} in this batch`);
    return offset;
  }
}

function sizeOf(length) {
  return HEADER_BYTES + Math.ceil(length / 8) * 8;
}

/** The first record of packed bytes. */
function first(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const length = view.getUint32(0, true);
  return new WalRecord(
    view.getBigUint64(8, true),
    bytes.subarray(HEADER_BYTES, HEADER_BYTES + length),
    (view.getUint32(4, true) & BATCH_CONTINUES) !== 0,
  );
}

/** Memory that records are packed into, seen as bytes and as 32-bit words. */
class Memory {
  constructor(bytes) {
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, bytes / 4);
  }
}

const kept = new Memory(KEPT_BYTES);

/** Packs records for appending. The memory is good until the next call. */
function pack(records) {
  if (!Array.isArray(records)) throw wrongType('records', 'an array', records);
  let memory = kept;
  let end = 0;
  for (let index = 0; index < records.length; index++) {
    let bytes = records[index];
    if (!isUint8Array(bytes)) bytes = toBytes(bytes, `records[${index}]`);
    const { length } = bytes;
    const size = sizeOf(length);
    if (end + size > memory.bytes.length) memory = larger(memory, end, end + size);
    const { words } = memory;
    // The last eight bytes first: what the payload leaves of them is padding.
    const last = (end + size) / 4;
    words[last - 2] = 0;
    words[last - 1] = 0;
    const at = end / 4;
    words[at] = length;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    memory.bytes.set(bytes, end + HEADER_BYTES);
    end += size;
  }
  return memory.bytes.subarray(0, end);
}

function larger(memory, used, wanted) {
  const next = new Memory(Math.max(wanted, memory.bytes.length * 2));
  memory.bytes.copy(next.bytes, 0, 0, used);
  return next;
}

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new Error('libwal packs records for little-endian machines');
}

module.exports = { RecordBatch, WalRecord, first, pack };
