// An HTTP server that takes webhooks and must not lose one: it answers 200 when the webhook is on
// disk, and hands it on afterwards, again if need be after a failure or a crash.
//
//     node webhooks.mjs DIRECTORY [PORT]
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from 'libwal';

const BODY_BYTES_MAX = 1024 * 1024;
const TRIM_EVERY = 1000n;
const RETRY_MS = 1000;

/** Serves on the port; `handle` is given each webhook at least once, in order. */
export async function serve(directory, port, handle) {
  const log = await open(directory);
  const stop = new AbortController();
  const server = http.createServer((request, response) => receive(log, request, response));
  const handing = handOn(log, handle, stop.signal);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    async close() {
      await new Promise((resolve) => server.close(resolve));
      stop.abort();
      await handing;
      await log.close();
    },
  };
}

async function receive(log, request, response) {
  try {
    const body = await read(request);
    // Requests that come at the same time share one sync; none of them holds up another.
    const lsn = await log.append(JSON.stringify({ url: request.url, body }));
    response.writeHead(200).end(`${lsn}\n`);
  } catch (error) {
    // The sender still has the webhook, and tries again.
    response.writeHead(error.status ?? 503).end(`${error.message}\n`);
  }
}

/** Hands the webhooks on, and keeps in the log itself how far it has got. */
async function handOn(log, handle, signal) {
  const done = await log.values.get('done');
  const from = done === null ? 'first' : BigInt(done.toString()) + 1n;
  try {
    for await (const { lsn, data } of log.cursor({ from, follow: true, signal })) {
      while (!(await succeeds(() => handle(JSON.parse(data), lsn)))) {
        await sleep(RETRY_MS, undefined, { signal });
      }
      await log.values.set('done', String(lsn));
      // What was handed on need not be kept.
      if (lsn % TRIM_EVERY === 0n) await log.trim(lsn + 1n);
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}

async function succeeds(attempt) {
  try {
    await attempt();
    return true;
  } catch (error) {
    console.error(`not handed on yet: ${error.message}`);
    return false;
  }
}

async function read(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw Object.assign(new Error('too large'), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory = 'webhooks.wal', port = '8080'] = process.argv.slice(2);
  const server = await serve(directory, Number(port), (hook, lsn) => {
    console.log(`${lsn}: ${hook.url} ${hook.body}`);
  });
  console.log(`http://127.0.0.1:${server.port}`);
  process.once('SIGINT', () => server.close());
}
