// What users of Node would otherwise take, asked for the same work as `measure.mjs`.
//
//     node peers.mjs better-sqlite3|lmdb
import fs from 'node:fs';
import {
  ASYNC, BATCH, DURABLE, DURABLE_BATCHES, OS, PASSES, READ, RECORD, expect, inFlight, serve,
  timed,
} from './asked.mjs';

const DURABLE_WORKLOADS = new Set(['durable', 'durable-batch', 'async']);

const PEERS = {
  /** SQLite in WAL mode: with FULL each commit is synced, with NORMAL it survives the process alone. */
  'better-sqlite3': async () => {
    const { default: Database } = await import('better-sqlite3');
    return (workload, directory) => {
      fs.mkdirSync(directory);
      const db = new Database(`${directory}/db`);
      db.pragma('journal_mode = WAL');
      db.pragma(`synchronous = ${DURABLE_WORKLOADS.has(workload) ? 'FULL' : 'NORMAL'}`);
      db.exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, data BLOB NOT NULL)');
      const insert = db.prepare('INSERT INTO log (data) VALUES (?)');
      const select = db.prepare('SELECT lsn, data FROM log ORDER BY lsn');
      const append = () => insert.run(RECORD);
      const appendBatch = db.transaction(() => {
        for (const record of BATCH) insert.run(record);
      });
      const read = () => {
        let bytes = 0;
        for (const { data } of select.iterate()) bytes += data.length;
        return bytes;
      };
      return { append, appendBatch, read, close: () => db.close() };
    };
  },
  /** Each transaction is synced, and promises resolve after that; without sync it survives the process. */
  lmdb: async () => {
    const { open } = await import('lmdb');
    return (workload, directory) => {
      const noSync = !DURABLE_WORKLOADS.has(workload);
      const db = open({ path: directory, encoding: 'binary', overlappingSync: false, noSync });
      let key = 0;
      const append = () => db.putSync(key++, RECORD);
      const appendBatch = () =>
        db.transactionSync(() => {
          for (const record of BATCH) db.put(key++, record);
        });
      const read = () => {
        let bytes = 0;
        for (const { value } of db.getRange()) bytes += value.length;
        return bytes;
      };
      const put = () => db.put(key++, RECORD);
      return { append, appendBatch, read, put, close: () => db.close() };
    };
  },
};

const WORKLOADS = {
  os: ({ append }) => timed(OS, () => repeated(OS, append)),
  durable: ({ append }) => timed(DURABLE, () => repeated(DURABLE, append)),
  'durable-batch': ({ appendBatch }) =>
    timed(DURABLE_BATCHES * BATCH.length, () => repeated(DURABLE_BATCHES, appendBatch)),
  async: ({ put }) => put && timed(ASYNC, () => inFlight(put)),
  read: ({ appendBatch, read }) => {
    repeated(READ / BATCH.length, appendBatch);
    return timed(PASSES * READ, () => repeated(PASSES, () => expect(read(), READ * RECORD.length)));
  },
};

const opened = await PEERS[process.argv[2]]();
await serve(async (workload, directory) => {
  const work = WORKLOADS[workload];
  if (!work) return undefined;
  const store = opened(workload, directory);
  const answer = await work(store);
  await store.close();
  return answer;
});

function repeated(count, call) {
  for (let n = 0; n < count; n++) call();
}
