// Compiled by `tsc --strict`, never run: how a TypeScript program uses the package.

import libwal, {
  Cursor,
  Follower,
  Log,
  RecordBatch,
  WalError,
  WalRecord,
  destroy,
  info,
  open,
  openSync,
  repair,
  setLogger,
  verify,
  type LsnRange,
  type Stats,
} from 'libwal';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

export async function uses(path: string): Promise<void> {
  await using log = await open(path, { level: 'os', segmentBytes: 1 << 20, maxBytes: 1n << 30n });
  same<typeof log, Log>(true);

  const lsn = await log.append('text', { level: 'disk', waitMs: 10, time: new Date() });
  same<typeof lsn, bigint>(true);
  const lsns: LsnRange = await log.appendBatch([new Uint8Array(3), Buffer.from('b'), 'c'] as const);
  await log.appendAt(lsns.last + 1n, new DataView(new ArrayBuffer(8)));
  await log.read(7);

  const cursor = log.cursor({ from: { timeNs: 1n } });
  same<typeof cursor, Cursor>(true);
  same<typeof log extends never ? never : ReturnType<typeof cursor.next>, Promise<WalRecord | null>>(
    true,
  );
  for await (const record of cursor) same<typeof record.data, Buffer>(true);
  for (const record of log.cursor({ from: 'end', reverse: true })) record.lsn + 1n;
  for await (const batch of log.cursor().batches()) same<typeof batch, RecordBatch>(true);

  const follower = log.cursor({ from: 'end', follow: true, signal: AbortSignal.timeout(10) });
  same<typeof follower, Follower>(true);
  const soon = await follower.next({ timeoutMs: 5 });
  same<typeof soon, WalRecord | null>(true);

  await log.values.update({ term: '7', vote: null });
  await log.values.update(new Map([[Buffer.from('k'), 'v']]));
  const stats: Stats = await log.stats();
  stats.counters.records + 1n;
  await log.replay((record) => record.lsn < 5n, { from: 'first' });
  log.createReadStream({ follow: true }).pipe(log.createWriteStream({ level: 'disk' }));
  {
    using subscription = log.onDurable((error, durable) => void [error?.code, durable]);
    subscription.unsubscribe();
  }
  try {
    await log.read(0n);
  } catch (error) {
    if (error instanceof WalError && error.code === 'ERR_WAL_NOT_FOUND') error.lsn;
  }

  // @ts-expect-error a record is bytes or text
  await log.append(5);
  // @ts-expect-error there is no such level
  await log.append('x', { level: 'memory' });
  // @ts-expect-error there is no such option
  await open(path, { segmentByte: 5 });
  // @ts-expect-error a follower has no way back
  await follower.prev();
  // @ts-expect-error logs are opened
  new Log();
}

export async function looks(path: URL): Promise<void> {
  const found = await info(path);
  same<typeof found.recovery.kind extends string ? true : false, true>(true);
  const report = await verify(path, { onProgress: (done, total) => void (done / total) });
  if (report.findings.some((finding) => finding.recordsAtStake)) await repair(path, { dryRun: true });
  await destroy(path);
  setLogger((event) => void `${event.level} ${event.target}: ${event.message}`, { level: 'debug' });
  setLogger(null);
  openSync(path).closeSync();
  same<typeof libwal.version, string>(true);
}
