// The conformance runner in JavaScript: `run SCENARIO SCRATCH`, `write DIR COUNT SEED`, `read DIR`.

import fs from 'node:fs';
import path from 'node:path';
import { open } from 'libwal';

import { Session, operations } from './operations.mjs';
import { Line, crc32, hex8, numbers, pattern, refusal } from './words.mjs';

/** What this language has nothing for; bindings/conformance/exceptions/node.txt says why. */
const UNSUPPORTED = new Set(['notifier', 'replay_parallel']);

const say = (text) => fs.writeSync(1, `${text}\n`);

async function run(scenario, scratch) {
  const session = new Session(scratch, path.join(path.dirname(scenario), '..', 'golden'));
  for (const text of fs.readFileSync(scenario, 'ascii').split('\n')) {
    if (text === '' || text.startsWith('#')) continue;
    try {
      say(`> ${text}\n${await take(session, new Line(text))}`);
    } catch (error) {
      process.stderr.write(`${text}: ${error.stack}\n`);
      process.exit(2);
    }
  }
}

async function take(session, line) {
  if (UNSUPPORTED.has(line.name)) return `UNSUPPORTED ${line.name}`;
  const operation = operations[line.name];
  if (operation === undefined) throw new Error('there is no such operation');
  let answer;
  try {
    answer = await operation(session, line);
    if (line.left.size > 0) throw new Error(`does not know ${[...line.left].join(', ')}`);
  } catch (error) {
    answer = refusal(error);
  }
  return [...session.lines.splice(0), answer].join('\n');
}

/** The record that has this LSN, whoever wrote it. */
function record(lsn) {
  const number = Number(lsn);
  const length = number % 64 === 0 ? (number * 977) % 5000 : (number * 31) % 120;
  const bytes = Buffer.alloc(8 + length);
  bytes.writeBigUInt64LE(lsn, 0);
  pattern(number, length).copy(bytes, 8);
  return bytes;
}

async function write(directory, count, seed) {
  const log = await open(directory, { segmentBytes: 65536 });
  say(`open ${log.lastLsn ?? 0n}`);
  const from = log.nextLsn;
  let next = from;
  for (const draw of numbers(seed)) {
    if (count > 0n && next - from >= count) break;
    const many = draw >>> 8;
    switch (draw % 4) {
      case 0:
      case 1:
        acknowledged(await log.append(record(next)), next);
        next += 1n;
        break;
      case 2: {
        const lsns = span(next, 2 + (many % 7));
        acknowledged((await log.appendBatch(lsns.map(record))).last, lsns.at(-1));
        next += BigInt(lsns.length);
        break;
      }
      default: {
        const lsns = span(next, 1 + (many % 16));
        const appends = lsns.map((lsn) =>
          log.append(record(lsn)).then((given) => acknowledged(given, lsn)),
        );
        await Promise.all(appends);
        next += BigInt(lsns.length);
      }
    }
  }
  await log.close();
  say(`done ${next - 1n}`);
}

const span = (from, count) => Array.from({ length: count }, (_, index) => from + BigInt(index));

function acknowledged(lsn, expected) {
  if (lsn !== expected) throw new Error(`record ${expected} got the LSN ${lsn}`);
  say(`ack ${lsn}`);
}

async function read(directory) {
  const log = await open(directory);
  let [first, last, crc, isBatchOpen] = [null, null, 0, false];
  for await (const { lsn, data, batchContinues } of log.cursor()) {
    if (!record(lsn).equals(data)) throw new Error(`record ${lsn} is not what was appended`);
    if (last !== null && last + 1n !== lsn) throw new Error(`record ${lsn} follows ${last}`);
    first ??= lsn;
    last = lsn;
    isBatchOpen = batchContinues;
    crc = crc32(data, crc);
  }
  if (isBatchOpen) throw new Error(`the log ends inside a batch, at ${last}`);
  await log.close();
  say(`records ${first ?? '-'} ${last ?? '-'} ${hex8(crc)}`);
}

const [command, ...words] = process.argv.slice(2);
try {
  if (command === 'run') await run(words[0], words[1]);
  else if (command === 'write') await write(words[0], BigInt(words[1]), Number(words[2]));
  else if (command === 'read') await read(words[0]);
  else throw new Error('usage: runner run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR');
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}
