// The programs of examples/node, as a user would run them: beside an installed package.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { open } from 'libwal';

import { collect, directory } from './scratch.mjs';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const EXAMPLES = path.join(PACKAGE, '../../examples/node');

/** A directory with the examples, and the package where they look for it. */
function beside(t) {
  const log = directory(t);
  const place = path.dirname(log);
  fs.cpSync(EXAMPLES, place, { recursive: true });
  fs.mkdirSync(path.join(place, 'node_modules'));
  fs.symlinkSync(PACKAGE, path.join(place, 'node_modules/libwal'));
  return { place, log };
}

async function output(place, name, words) {
  const child = spawn(process.execPath, [path.join(place, name), ...words], { stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [status] = await once(child, 'close');
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

test('append', async (t) => {
  const { place, log } = beside(t);
  const lines = await output(place, 'append.mjs', [log]);
  assert.deepEqual(lines, ['1: order placed', '2: order paid', '3: order shipped']);
});

test('batch', async (t) => {
  const { place, log } = beside(t);
  assert.deepEqual(await output(place, 'batch.mjs', [log]), [
    'transfer: 1 to 2',
    'events: 3 to 502, in few syncs',
    '1: debit alice 5 (and more)',
    '2: credit bob 5',
  ]);
});

test('follow', async (t) => {
  const { place, log } = beside(t);
  const lines = await output(place, 'follow.mjs', [log]);
  assert.deepEqual(lines, [1, 2, 3, 4, 5].map((number) => `${number}: event ${number}`));
});

test('recover', async (t) => {
  const { place, log } = beside(t);
  const lines = await output(place, 'recover.mjs', [log]);
  assert.match(lines[0], /^acknowledged to \d+, found to \d+: (whole|torn-tail)$/);
  assert.equal(lines[1], 'all as they were appended');
});

test('webhooks that were answered are handed on, also after a kill', async (t) => {
  const { place, log } = beside(t);
  const server = spawn(process.execPath, [path.join(place, 'webhooks.mjs'), log, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve) => {
    createInterface(server.stdout).on('line', (line) => line.startsWith('http') && resolve(line));
  });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, number) =>
      fetch(`${url}/hook/${number}`, { method: 'POST', body: `body ${number}` }),
    ),
  );
  assert.ok(answers.every((answer) => answer.status === 200));
  const large = await fetch(url, { method: 'POST', body: Buffer.alloc(2 * 1024 * 1024) }).catch(
    (error) => error,
  );
  assert.notEqual(large.status, 200);
  server.kill('SIGKILL');
  await once(server, 'close');

  const { serve } = await import(pathToFileURL(path.join(place, 'webhooks.mjs')));
  const handed = new Set();
  let failures = 1;
  const again = await serve(log, 0, (hook) => {
    if (failures-- > 0) throw new Error('meant: the first attempt');
    handed.add(hook.body);
  });
  await fetch(`http://127.0.0.1:${again.port}/`, { method: 'POST', body: 'last' });
  while (!handed.has('last')) await new Promise((resolve) => setTimeout(resolve, 20));
  await again.close();

  const kept = await open(log, { readOnly: true });
  const bodies = (await collect(kept.cursor())).map(({ data }) => JSON.parse(data).body);
  const done = BigInt((await kept.values.get('done')).toString());
  await kept.close();
  assert.equal(done, 51n);
  const expected = Array.from({ length: 50 }, (_, number) => `body ${number}`);
  assert.deepEqual(new Set(bodies), new Set([...expected, 'last']));
});
