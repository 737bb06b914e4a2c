// What the tests share: directories that go away, and programs that are run as users run theirs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'libwal';

/** A path for a log that is removed after the test. */
export function directory(t) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'libwal-'));
  t.after(() => fs.rmSync(scratch, { recursive: true, force: true }));
  return path.join(scratch, 'log');
}

/** An open log that is closed after the test. */
export async function opened(t, options) {
  const log = await open(directory(t), options);
  t.after(() => log.close().catch(() => {}));
  return log;
}

/** What a call is rejected with: a WalError of this code. */
export function code(expected) {
  return (error) => {
    assert.equal(error.code, expected, error.stack);
    assert.equal(error.name, 'WalError');
    return true;
  };
}

export function wrongType(error) {
  assert.ok(error instanceof TypeError, error.stack);
  assert.match(error.code, /^ERR_INVALID_ARG_(TYPE|VALUE)$/);
  return true;
}

export async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

export const text = (record) => record.data.toString();

/** Starts `programs/<name>.mjs`; `ended` is its exit code or signal, and what it printed. */
export function start(name, words = [], flags = []) {
  const file = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [...flags, file, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const watch = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const ended = new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(watch);
      resolve({ status, signal, stdout, stderr, lines: stdout.split('\n').filter(Boolean) });
    });
  });
  return { child, ended };
}
