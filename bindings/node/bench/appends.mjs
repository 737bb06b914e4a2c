// Appends and reads of libwal beside better-sqlite3 and lmdb, each as durable as the others: every
// acknowledged record is synced to disk. Prints one JSON object.
//
//     node appends.mjs DIRECTORY
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bench } from 'tinybench';
import Database from 'better-sqlite3';
import { open as openLmdb } from 'lmdb';
import { open, version } from 'libwal';

const RECORD = Buffer.alloc(100, 'r');
const BATCH = Array.from({ length: 100 }, () => RECORD);
const IN_FLIGHT = 256;
const READ_RECORDS = 100_000;
const TIME_MS = Number(process.env.BENCH_MS ?? 1500);

const scratch = fs.mkdtempSync(path.join(process.argv[2] ?? os.tmpdir(), 'libwal-bench-'));
const place = (name) => path.join(scratch, name);

/** What is measured: a name, what it is measured in, how many records a round has, and the round. */
const rows = [];
const row = (system, workload, records, round) => rows.push({ system, workload, records, round });

const log = await open(place('wal'));
const packed = packedBatch(BATCH);
row('libwal', 'append, one at a time', 1, () => log.append(RECORD));
row('libwal', 'appendSync', 1, () => log.appendSync(RECORD));
row('libwal', `append, ${IN_FLIGHT} in flight`, IN_FLIGHT * 16, () =>
  inFlight(IN_FLIGHT, 16, () => log.append(RECORD)),
);
row('libwal', 'append, 1024 in flight', 1024 * 8, () => inFlight(1024, 8, () => log.append(RECORD)));
row('libwal', 'batch of 100', 100, () => log.appendBatchSync(BATCH));
row('libwal', 'packed batch of 100', 100, () => log.appendPackedSync(packed));

// The crossing alone: nothing waits for the disk.
const memory = await open(place('memory'), { level: 'buffered', maxBytes: 1 << 28, atCapacity: 'trimOldest' });
row('libwal', 'appendSync to memory', 1, () => memory.appendSync(RECORD));
row('libwal', 'batch of 100 to memory', 100, () => memory.appendBatchSync(BATCH));
row('libwal', 'packed batch of 100 to memory', 100, () => memory.appendPackedSync(packed));

const full = await open(place('full'), { level: 'buffered' });
for (let n = 0; n < READ_RECORDS / 100; n++) full.appendBatchSync(BATCH);
await full.sync();
row('libwal', 'read all, records', READ_RECORDS, async () => {
  let bytes = 0;
  for await (const record of full.cursor()) bytes += record.data.length;
  expect(bytes, READ_RECORDS * RECORD.length);
});
row('libwal', 'read all, batches', READ_RECORDS, async () => {
  let bytes = 0;
  for await (const batch of full.cursor().batches()) {
    for (let at = 0; at < batch.length; at++) bytes += batch.data(at).length;
  }
  expect(bytes, READ_RECORDS * RECORD.length);
});
let lsn = 0;
row('libwal', 'readSync', 1, () => full.readSync(1 + (lsn = (lsn + 7919) % READ_RECORDS)));

// SQLite's own log, synced at each commit.
const sqlite = new Database(place('sqlite.db'));
sqlite.pragma('journal_mode = WAL');
sqlite.pragma('synchronous = FULL');
sqlite.exec('CREATE TABLE records (lsn INTEGER PRIMARY KEY, data BLOB)');
const insert = sqlite.prepare('INSERT INTO records (data) VALUES (?)');
const insertAll = sqlite.transaction((records) => {
  for (const record of records) insert.run(record);
});
row('better-sqlite3', 'appendSync', 1, () => insert.run(RECORD));
row('better-sqlite3', 'batch of 100', 100, () => insertAll(BATCH));
sqlite.exec('CREATE TABLE full (lsn INTEGER PRIMARY KEY, data BLOB)');
const insertFull = sqlite.prepare('INSERT INTO full (data) VALUES (?)');
sqlite.transaction(() => {
  for (let n = 0; n < READ_RECORDS; n++) insertFull.run(RECORD);
})();
const selectAll = sqlite.prepare('SELECT lsn, data FROM full ORDER BY lsn');
const selectOne = sqlite.prepare('SELECT data FROM full WHERE lsn = ?');
row('better-sqlite3', 'read all, records', READ_RECORDS, () => {
  let bytes = 0;
  for (const { data } of selectAll.iterate()) bytes += data.length;
  expect(bytes, READ_RECORDS * RECORD.length);
});
row('better-sqlite3', 'readSync', 1, () => selectOne.get(1 + (lsn = (lsn + 7919) % READ_RECORDS)));

// Its promises resolve when the commit is synced.
const lmdb = openLmdb({ path: place('lmdb'), encoding: 'binary', overlappingSync: false });
let key = 0;
row('lmdb', 'append, one at a time', 1, () => lmdb.put(key++, RECORD));
row('lmdb', 'appendSync', 1, () => lmdb.putSync(key++, RECORD));
row('lmdb', `append, ${IN_FLIGHT} in flight`, IN_FLIGHT * 16, () =>
  inFlight(IN_FLIGHT, 16, () => lmdb.put(key++, RECORD)),
);
row('lmdb', 'append, 1024 in flight', 1024 * 8, () =>
  inFlight(1024, 8, () => lmdb.put(key++, RECORD)),
);
row('lmdb', 'batch of 100', 100, () =>
  lmdb.transactionSync(() => {
    for (const record of BATCH) lmdb.put(key++, record);
  }),
);
const lmdbFull = openLmdb({ path: place('lmdb-full'), encoding: 'binary', noSync: true });
lmdbFull.transactionSync(() => {
  for (let n = 1; n <= READ_RECORDS; n++) lmdbFull.put(n, RECORD);
});
row('lmdb', 'read all, records', READ_RECORDS, () => {
  let bytes = 0;
  for (const { value } of lmdbFull.getRange()) bytes += value.length;
  expect(bytes, READ_RECORDS * RECORD.length);
});
row('lmdb', 'readSync', 1, () => lmdbFull.get(1 + (lsn = (lsn + 7919) % READ_RECORDS)));

const bench = new Bench({ time: TIME_MS, warmupTime: TIME_MS / 5, throws: true });
for (const { system, workload, round } of rows) bench.add(`${system}: ${workload}`, round);
await bench.run();

const results = rows.map(({ system, workload, records }, index) => {
  const { latency } = bench.tasks[index].result;
  const perRecord = (ms) => Math.round((ms * 1e6) / records);
  return {
    system,
    workload,
    records_per_second: Math.round((records * 1000) / latency.mean),
    ns_per_record: perRecord(latency.mean),
    p99_ns_per_record: perRecord(latency.p99),
    rounds: latency.samplesCount,
  };
});
console.log(JSON.stringify({ version, node: process.version, cpus: os.cpus().length, record_bytes: RECORD.length, results }, null, 2));

await Promise.all([log.close(), memory.close(), full.close(), lmdb.close(), lmdbFull.close()]);
sqlite.close();
fs.rmSync(scratch, { recursive: true });

/** Keeps so many appends in flight until each of the lanes has had so many. */
async function inFlight(lanes, each, append) {
  const lane = async () => {
    for (let n = 0; n < each; n++) await append();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function packedBatch(records) {
  const size = (record) => 16 + Math.ceil(record.length / 8) * 8;
  const bytes = Buffer.alloc(records.reduce((sum, record) => sum + size(record), 0));
  let at = 0;
  for (const record of records) {
    bytes.writeUInt32LE(record.length, at);
    record.copy(bytes, at + 16);
    at += size(record);
  }
  return bytes;
}

function expect(found, wanted) {
  if (found !== wanted) throw new Error(`${found} bytes read, ${wanted} written`);
}
