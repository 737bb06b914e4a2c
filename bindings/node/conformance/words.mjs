// Lines, literals and answers of the conformance scenarios; see bindings/conformance/README.md.

/** A line of a scenario. */
export class Line {
  constructor(text) {
    this.text = text;
    const [name, ...words] = text.split(' ');
    this.name = name;
    this.words = new Map(
      words.map((word) => {
        const at = word.indexOf('=');
        if (at < 1) throw new Error(`no word: ${word}`);
        return [word.slice(0, at), word.slice(at + 1)];
      }),
    );
    this.left = new Set(this.words.keys());
  }

  optional(key, byDefault) {
    this.left.delete(key);
    return this.words.get(key) ?? byDefault;
  }

  word(key) {
    const value = this.optional(key);
    if (value === undefined) throw new Error(`lacks ${key}=`);
    return value;
  }

  number(key) {
    return BigInt(this.word(key));
  }

  bytes(key) {
    return literal(this.word(key));
  }

  items(key) {
    const list = this.word(key);
    return list === '' ? [] : list.split(',');
  }

  position(key) {
    const word = this.word(key);
    if (word === 'first' || word === 'end') return word;
    return word.startsWith('time:') ? { timeNs: BigInt(word.slice(5)) } : BigInt(word);
  }
}

export function literal(text) {
  const [kind, ...rest] = text.split(':');
  switch (kind) {
    case 'text':
      return Buffer.from(rest.join(':'));
    case 'hex':
      return Buffer.from(rest[0], 'hex');
    case 'zeros':
      return Buffer.alloc(Number(rest[0]));
    case 'pattern':
      return pattern(Number(rest[0]), Number(rest[1]));
    default:
      throw new Error(`no literal: ${text}`);
  }
}

/** The numbers of a seed, one after the other. */
export function* numbers(seed) {
  let x = (Math.imul(seed >>> 0, 2654435761 | 0) + 1) >>> 0;
  if (x === 0) x = 1;
  for (;;) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    yield x;
  }
}

export function pattern(seed, length) {
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  const source = numbers(seed);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(source.next().value, at);
  return bytes.subarray(0, length);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The CRC-32 of more bytes behind those `crc` is of. */
export function crc32(bytes, crc = 0) {
  crc = ~crc;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

export const hex8 = (number) => number.toString(16).padStart(8, '0');
export const dash = (value) => value ?? '-';
export const flag = (value) => (value ? 1 : 0);

export function printBytes(bytes) {
  if (bytes.length <= 32) return `hex:${Buffer.from(bytes).toString('hex')}`;
  return `${bytes.length}:${hex8(crc32(bytes))}`;
}

export function recordWords(record) {
  return `lsn=${record.lsn} more=${flag(record.batchContinues)} bytes=${printBytes(record.data)}`;
}

/** The line of an error that stands for a kind; anything else is thrown on. */
export function refusal(error) {
  if (error.code === 'ERR_INVALID_ARG_TYPE' || error instanceof RangeError) return 'error invalid';
  if (!error.code?.startsWith('ERR_WAL_')) throw error;
  let line = `error ${error.code.slice('ERR_WAL_'.length).toLowerCase()}`;
  if (error.lsn !== undefined) line += ` lsn=${error.lsn}`;
  if (error.segment !== undefined) line += ` segment=${error.segment} offset=${error.offset ?? 0}`;
  return line;
}
