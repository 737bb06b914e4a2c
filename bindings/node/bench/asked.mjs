// How `wal-bench languages` asks, and the size of what it asks for (see bench/README.md): lines
// `WORKLOAD DIRECTORY`, answered with `RECORDS NANOSECONDS` or `none`.
import readline from 'node:readline';

export const RECORD = Buffer.alloc(100, 'r');
export const BATCH = Array.from({ length: 1000 }, () => RECORD);
export const BURST = 20_000;
export const BURSTS = 20;
export const READ = 100_000;
export const PASSES = 3;
export const OS = 20_000;
export const DURABLE = 300;
export const DURABLE_BATCHES = 50;
export const ASYNC = 40_000;
export const IN_FLIGHT = 256;

/** Answers until nothing more is asked; `measured` gives records and nanoseconds, or nothing. */
export async function serve(measured) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [workload, directory] = line.split(/ (.*)/s);
    const answer = await measured(workload, directory);
    console.log(answer ? answer.join(' ') : 'none');
  }
}

export async function timed(records, work) {
  const started = process.hrtime.bigint();
  await work();
  return [records, process.hrtime.bigint() - started];
}

/** So many appends, of which some are always under way. */
export async function inFlight(append) {
  const promises = new Array(IN_FLIGHT);
  for (let n = 0; n < ASYNC; n++) {
    await promises[n % IN_FLIGHT];
    promises[n % IN_FLIGHT] = append(n);
  }
  await Promise.all(promises);
}

export function expect(found, wanted) {
  if (found !== wanted) throw new Error(`${found} of ${wanted} records were read`);
}
