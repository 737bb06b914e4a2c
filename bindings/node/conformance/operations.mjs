// What each operation of a scenario is in this language.

import { setTimeout as sleep } from 'node:timers/promises';
import fs from 'node:fs';
import path from 'node:path';
import { destroy, info, open, repair, verify } from 'libwal';

import { crc32, dash, flag, hex8, literal, printBytes, recordWords } from './words.mjs';

const PAUSE_MS = 20;

/** What is kept between the lines of a scenario. */
export class Session {
  logs = new Map();
  cursors = new Map();
  followers = new Map();
  tickets = new Map();

  constructor(scratch, golden) {
    this.scratch = scratch;
    this.golden = golden;
    this.lines = [];
  }

  directory(line) {
    return path.join(this.scratch, line.optional('dir', 'log'));
  }

  log(line) {
    return kept(this.logs, line.optional('log', 'log'));
  }

  cursor(line) {
    return kept(this.cursors, line.optional('cursor', 'cursor'));
  }

  follower(line) {
    return kept(this.followers, line.optional('follower', 'follower'));
  }

  records(records) {
    for (const record of records) this.lines.push(`record ${recordWords(record)}`);
  }
}

function kept(map, name) {
  const value = map.get(name);
  if (value === undefined) throw new Error(`nothing is called ${name}`);
  return value;
}

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function openOptions(line) {
  const options = {};
  for (const key of [...line.left]) {
    if (key === 'dir' || key === 'log') continue;
    const word = line.word(key);
    if (/^(create|pad_to_block)$/.test(key)) options[camel(key)] = word === '1';
    else if (/^(level|at_capacity|io|read_mode)$/.test(key)) options[camel(key)] = camel(word);
    else options[camel(key)] = BigInt(word);
  }
  return options;
}

async function opened(session, line, more) {
  const name = line.optional('log', 'log');
  const log = await open(session.directory(line), { ...openOptions(line), ...more });
  const { recovery } = log;
  const before = session.logs.get(name);
  session.logs.set(name, log);
  await before?.close().catch(() => {});
  const cut = recovery.cut && `${recovery.cut.segment}:${recovery.cut.offset}:${recovery.cut.bytes}`;
  const [first, last] = [dash(recovery.firstLsn), dash(recovery.lastLsn)];
  return `ok case=${recovery.kind} first=${first} last=${last} cut=${dash(cut)}`;
}

function appendOptions(line) {
  const options = {};
  const [level, time, wait] = ['level', 'time', 'wait'].map((key) => line.optional(key));
  if (level !== undefined) options.level = level;
  if (time !== undefined) options.time = BigInt(time);
  if (wait !== undefined && wait !== 'block') options.waitMs = wait === 'try' ? 0 : Number(wait);
  return options;
}

const range = (lsns) => `ok first=${lsns.first ?? lsns} last=${lsns.last ?? lsns}`;
const step = (record) => (record === null ? 'ok end' : `ok ${recordWords(record)}`);
const literals = (line, key) => line.items(key).map(literal);

function submitted(session, line, promise) {
  promise.catch(() => {});
  session.tickets.set(line.optional('ticket', 'ticket'), promise);
  return 'ok';
}

async function waitFor(session, line) {
  const name = line.optional('ticket', 'ticket');
  const timeout = line.optional('timeout_ms');
  const ticket = kept(session.tickets, name);
  const stop = new AbortController();
  const late = Symbol('late');
  const limits = timeout === undefined ? [] : [sleep(Number(timeout), late, stop)];
  try {
    const outcome = await Promise.race([ticket, ...limits]);
    if (outcome === late) return 'error timeout';
    session.tickets.delete(name);
    return range(outcome);
  } catch (error) {
    session.tickets.delete(name);
    throw error;
  } finally {
    stop.abort();
    limits[0]?.catch(() => {});
  }
}

async function onDurable(session, line) {
  const log = session.log(line);
  const records = literals(line, 'records');
  let told;
  const news = new Promise((resolve, reject) => {
    told = (error, lsn) => (error ? reject(error) : lsn >= last && resolve(lsn));
  });
  const last = log.nextLsn + BigInt(records.length) - 1n;
  const subscription = log.onDurable(told);
  const appends = records.map((record) => log.append(record));
  // A listener alone keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  const durable = await news.finally(() => clearInterval(alive));
  subscription.unsubscribe();
  await Promise.all(appends);
  return `ok durable=${durable}`;
}

async function followLive(session, line) {
  const log = session.log(line);
  const records = literals(line, 'records');
  const follower = log.cursor({ from: line.position('from'), follow: true });
  await follower.nextLsn();
  const waiting = (async () => {
    const found = [];
    while (found.length < records.length) found.push(await follower.next());
    return found;
  })();
  for (const record of records) {
    await sleep(PAUSE_MS);
    await log.append(record);
  }
  const found = await waiting;
  session.records(found);
  return `ok count=${found.length}`;
}

async function followUntilClosed(session, line) {
  const log = session.log(line);
  const follower = log.cursor({ from: line.position('from'), follow: true });
  await follower.nextLsn();
  const found = [];
  const waiting = (async () => {
    for await (const record of follower) found.push(record);
  })();
  const ended = waiting.catch((error) => error);
  await sleep(PAUSE_MS);
  await log.close();
  const end = await ended;
  session.records(found);
  if (end) throw end;
  return 'ok';
}

async function verified(session, line) {
  const report = await verify(session.directory(line));
  for (const finding of report.findings) {
    const { code, segment, offset, lsns, recordsAtStake } = finding;
    const kind = code.slice('ERR_WAL_'.length).toLowerCase();
    session.lines.push(
      `finding kind=${kind} segment=${dash(segment)} offset=${offset ?? 0} ` +
        `first=${dash(lsns?.first)} last=${dash(lsns?.last)} at_stake=${flag(recordsAtStake)}`,
    );
  }
  const [first, last] = [dash(report.firstLsn), dash(report.lastLsn)];
  return (
    `ok findings=${report.findings.length} segments=${report.segments} ` +
    `records=${report.records} first=${first} last=${last} torn=${flag(report.tornTail)}`
  );
}

function unpack(session, line) {
  const directory = session.directory(line);
  const text = fs.readFileSync(path.join(session.golden, `${line.word('name')}.golden`), 'ascii');
  fs.mkdirSync(directory);
  let file;
  for (const words of text.split('\n').map((row) => row.split(' '))) {
    if (words[0] === '' || words[0].startsWith('#')) continue;
    if (words[0] === 'file') {
      if (file !== undefined) fs.closeSync(file);
      file = fs.openSync(path.join(directory, words[1]), 'wx+');
      fs.ftruncateSync(file, Number(words[2]));
    } else {
      fs.writeSync(file, Buffer.from(words[1], 'hex'), 0, undefined, Number(words[0]));
    }
  }
  if (file !== undefined) fs.closeSync(file);
  return 'ok';
}

function snapshot(session, line) {
  const [from, to] = [session.directory(line), path.join(session.scratch, line.word('to'))];
  fs.mkdirSync(to);
  for (const name of fs.readdirSync(from)) {
    try {
      fs.copyFileSync(path.join(from, name), path.join(to, name));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return 'ok';
}

function damage(session, line) {
  const file = fs.openSync(path.join(session.directory(line), line.word('file')), 'r+');
  const offset = Number(line.word('offset'));
  const byte = Buffer.alloc(1);
  fs.readSync(file, byte, 0, 1, offset);
  byte[0] ^= Number(line.word('xor'));
  fs.writeSync(file, byte, 0, 1, offset);
  fs.closeSync(file);
  return 'ok';
}

/** `(session, line)` to the last line of the answer. */
export const operations = {
  open: (session, line) => opened(session, line, {}),
  open_read_only: (session, line) => opened(session, line, { readOnly: true }),
  async close(session, line) {
    await session.log(line).close();
    return 'ok';
  },
  async destroy(session, line) {
    await destroy(session.directory(line));
    return 'ok';
  },
  path: (session, line) => `ok dir=${path.basename(session.log(line).path)}`,
  uuid: (session, line) => `ok uuid=${session.log(line).uuid}`,

  append: async (session, line) =>
    `ok lsn=${await session.log(line).append(line.bytes('record'), appendOptions(line))}`,
  append_batch: async (session, line) =>
    range(await session.log(line).appendBatch(literals(line, 'records'), appendOptions(line))),
  append_packed: async (session, line) => {
    const parts = literals(line, 'records').map((record) => {
      const packed = Buffer.alloc(16 + Math.ceil(record.length / 8) * 8);
      packed.writeUInt32LE(record.length, 0);
      record.copy(packed, 16);
      return packed;
    });
    return range(await session.log(line).appendPacked(Buffer.concat(parts)));
  },
  append_vectored: async (session, line) =>
    `ok lsn=${await session.log(line).append(Buffer.concat(literals(line, 'pieces')))}`,
  append_at: async (session, line) => {
    const [lsn, record] = [line.number('lsn'), line.bytes('record')];
    return `ok lsn=${await session.log(line).appendAt(lsn, record, appendOptions(line))}`;
  },
  submit: (session, line) =>
    submitted(session, line, session.log(line).append(line.bytes('record'), appendOptions(line))),
  submit_batch: (session, line) => {
    const options = appendOptions(line);
    const records = literals(line, 'records');
    return submitted(session, line, session.log(line).appendBatch(records, options));
  },
  wait: waitFor,
  async append_async(session, line) {
    const log = session.log(line);
    const lsns = await Promise.all(literals(line, 'records').map((record) => log.append(record)));
    return `ok lsns=${lsns.join(',')}`;
  },
  async wait_durable(session, line) {
    const timeout = line.optional('timeout_ms');
    const options = timeout === undefined ? {} : { timeoutMs: Number(timeout) };
    await session.log(line).waitDurable(line.number('lsn'), options);
    return 'ok';
  },
  sync: async (session, line) => `ok durable=${dash(await session.log(line).sync())}`,
  lsns(session, line) {
    const log = session.log(line);
    const names = ['first', 'last', 'durable', 'written', 'submitted', 'next'];
    return `ok ${names.map((name) => `${name}=${dash(log[`${name}Lsn`])}`).join(' ')}`;
  },
  on_durable: onDurable,

  async read(session, line) {
    const record = await session.log(line).read(line.number('lsn'));
    return `ok lsn=${record.lsn} bytes=${printBytes(record.data)}`;
  },
  async read_many(session, line) {
    const log = session.log(line);
    let count = 0;
    for await (const record of log.readMany(line.items('lsns').map(BigInt))) {
      session.records([record]);
      count++;
    }
    return `ok count=${count}`;
  },
  time_of: async (session, line) =>
    `ok time=${await session.log(line).timeOf(line.number('lsn'))}`,
  async cursor(session, line) {
    const cursor = session
      .log(line)
      .cursor({ from: line.position('from'), batchBytes: 16 * 1024 * 1024 });
    const next = await cursor.nextLsn();
    session.cursors.set(line.optional('cursor', 'cursor'), cursor);
    return `ok next=${next}`;
  },
  next: async (session, line) => step(await session.cursor(line).next()),
  prev: async (session, line) => step(await session.cursor(line).prev()),
  async seek(session, line) {
    const cursor = session.cursor(line);
    await cursor.seek(line.position('to'));
    return `ok next=${await cursor.nextLsn()}`;
  },
  async seek_time(session, line) {
    const cursor = session.cursor(line);
    await cursor.seek({ timeNs: line.number('time') });
    return `ok next=${await cursor.nextLsn()}`;
  },
  cursor_time: async (session, line) => `ok time=${await session.cursor(line).time()}`,
  async read_batch(session, line) {
    const cursor = session.cursor(line);
    const batch = await cursor.readBatch(Number(line.word('count')));
    session.records(batch);
    return `ok count=${batch.length} next=${await cursor.nextLsn()}`;
  },
  async iterate(session, line) {
    let count = 0;
    for await (const record of session.log(line).cursor({ from: line.position('from') })) {
      session.records([record]);
      count++;
    }
    return `ok count=${count}`;
  },
  async digest(session, line) {
    let [first, last, count, crc] = [null, null, 0, 0];
    for await (const record of session.log(line).cursor({ from: line.position('from') })) {
      first ??= record.lsn;
      last = record.lsn;
      count++;
      crc = crc32(record.data, crc);
    }
    return `ok first=${dash(first)} last=${dash(last)} count=${count} crc=${hex8(crc)}`;
  },
  async follow(session, line) {
    const follower = session.log(line).cursor({ from: line.position('from'), follow: true });
    const next = await follower.nextLsn();
    session.followers.set(line.optional('follower', 'follower'), follower);
    return `ok next=${next}`;
  },
  async follow_next(session, line) {
    const timeoutMs = Number(line.word('timeout_ms'));
    const record = await session.follower(line).next({ timeoutMs });
    return record === null ? 'error timeout' : step(record);
  },
  async follow_seek(session, line) {
    const follower = session.follower(line);
    await follower.seek(line.position('to'));
    return `ok next=${await follower.nextLsn()}`;
  },
  follow_live: followLive,
  follow_until_closed: followUntilClosed,
  async replay(session, line) {
    const stop = line.optional('stop');
    const last = await session.log(line).replay(
      (record) => {
        session.records([record]);
        return stop === undefined || record.lsn !== BigInt(stop);
      },
      { from: line.position('from') },
    );
    return `ok last=${dash(last)}`;
  },

  trim: async (session, line) =>
    `ok first=${dash(await session.log(line).trim(line.number('before')))}`,
  async truncate(session, line) {
    await session.log(line).truncate(line.number('after'));
    return 'ok';
  },
  async reset(session, line) {
    await session.log(line).resetTo(line.number('next'));
    return 'ok';
  },
  async value_set(session, line) {
    await session.log(line).values.set(line.bytes('key'), line.bytes('value'));
    return 'ok';
  },
  async value_get(session, line) {
    const value = await session.log(line).values.get(line.bytes('key'));
    return value === null ? 'ok none' : `ok value=${printBytes(value)}`;
  },
  value_delete: async (session, line) =>
    `ok existed=${flag(await session.log(line).values.delete(line.bytes('key')))}`,
  async value_update(session, line) {
    const value = (word) => (word === 'none' ? null : literal(word));
    const values = line.items('values').map(value);
    const changes = literals(line, 'keys').map((key, index) => [key, values[index]]);
    await session.log(line).values.update(changes);
    return 'ok';
  },
  async value_list(session, line) {
    const list = await session.log(line).values.list();
    for (const [key, value] of list) {
      session.lines.push(`value key=${printBytes(key)} value=${printBytes(value)}`);
    }
    return `ok count=${list.length}`;
  },
  async stats(session, line) {
    const { level, poisoned, firstLsn, lastLsn, nextLsn, counters, segments } = await session
      .log(line)
      .stats();
    return (
      `ok level=${level} poisoned=${flag(poisoned)} first=${dash(firstLsn)} ` +
      `last=${dash(lastLsn)} next=${nextLsn} records=${counters.records} ` +
      `record_bytes=${counters.recordBytes} rotations=${counters.rotations} ` +
      `trimmed=${counters.trimmed} segments=${segments.length}`
    );
  },
  async segments(session, line) {
    const { segments } = await session.log(line).stats();
    for (const { id, firstLsn, lastLsn, sealed } of segments) {
      session.lines.push(
        `segment id=${id} first=${firstLsn} last=${dash(lastLsn)} sealed=${flag(sealed)}`,
      );
    }
    return `ok count=${segments.length}`;
  },
  poisoned: async (session, line) =>
    `ok poisoned=${flag((await session.log(line).stats()).poisoned)}`,
  async copy_to(session, line) {
    const log = session.log(line);
    const report = await log.copyTo(path.join(session.scratch, line.word('dir')));
    const [first, last] = [dash(report.firstLsn), dash(report.lastLsn)];
    return `ok records=${report.records} first=${first} last=${last}`;
  },
  async info(session, line) {
    const found = await info(session.directory(line));
    const [first, last] = [dash(found.firstLsn), dash(found.lastLsn)];
    return (
      `ok clean=${flag(found.clean)} writer=${flag(found.writerAlive)} epoch=${found.epoch} ` +
      `first=${first} last=${last} next=${found.nextLsn} segments=${found.segments.length} ` +
      `values=${found.values} case=${found.recovery.kind}`
    );
  },
  verify: verified,
  async repair(session, line) {
    const dryRun = line.optional('dry_run', '0') === '1';
    const report = await repair(session.directory(line), { dryRun });
    for (const { first, last } of report.lost) {
      session.lines.push(`lost first=${first} last=${last}`);
    }
    const { changed, actions, backup } = report;
    return `ok changed=${flag(changed)} actions=${flag(actions.length > 0)} backup=${flag(backup)}`;
  },

  golden: unpack,
  snapshot,
  damage,
  cut_file(session, line) {
    const file = path.join(session.directory(line), line.word('file'));
    fs.truncateSync(file, Number(line.word('length')));
    return 'ok';
  },
  remove_file(session, line) {
    fs.unlinkSync(path.join(session.directory(line), line.word('file')));
    return 'ok';
  },
  remove_dir(session, line) {
    fs.rmSync(session.directory(line), { recursive: true, maxRetries: 10, retryDelay: 5 });
    return 'ok';
  },
  make_file(session, line) {
    fs.writeFileSync(session.directory(line), '');
    return 'ok';
  },
  exists: (session, line) => `ok exists=${flag(fs.existsSync(session.directory(line)))}`,
  async sleep(_session, line) {
    await sleep(Number(line.word('ms')));
    return 'ok';
  },
};
