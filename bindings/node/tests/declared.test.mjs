// What is declared, documented and listed elsewhere is what is there.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as libwal from 'libwal';

const read = (name) => fs.readFileSync(new URL(name, import.meta.url), 'utf8');
const declared = read('../lib/index.d.ts');
const codes = read('../../codes.toml');
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** The tables of the list of codes: `[[name]]` and their lines. */
function tables(name) {
  const parts = codes.split(/^\[\[/m).filter((part) => part.startsWith(`${name}]]`));
  return parts.map((part) =>
    Object.fromEntries([...part.matchAll(/^(\w+) = "?([^"\n]*)"?$/gm)].map(([, key, value]) => [key, value])),
  );
}

test('every member of every class is declared, and nothing else', () => {
  for (const name of ['Log', 'Cursor', 'Follower', 'Values', 'RecordBatch']) {
    const [, body] = declared.match(new RegExp(`^export class ${name} [^{]*\\{\\n([^]*?)^\\}`, 'm'));
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+|\[Symbol\.\w+\])[(:]/gm)].map(([, member]) => member);
    const isOwn = (key) => key !== 'constructor' && key !== '_';
    const text = (key) => (typeof key === 'symbol' ? `[${key.description.replace('nodejs.', 'Symbol.')}]` : key);
    const fields = { RecordBatch: ['buffer'], Cursor: ['log'], Follower: ['log'] }[name] ?? [];
    const keys = [...Reflect.ownKeys(libwal[name].prototype).map(text).filter(isOwn), ...fields];
    assert.deepEqual(new Set(members.filter(isOwn)), new Set(keys), name);
  }
});

test('every export is declared', () => {
  const names = [...declared.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  const exported = Object.keys(libwal).filter((name) => name !== 'default');
  assert.deepEqual(new Set(names), new Set(exported));
});

test('every code of the list is a code here, with its sentence', () => {
  const readme = read('../README.md');
  const list = tables('code').filter(({ kind }) => kind !== undefined);
  assert.ok(list.length > 10);
  for (const { name, next } of list) {
    const sentence = next.replace('the option lock_wait', 'the option `lockWaitMs`');
    assert.ok(declared.includes(`/** ${sentence} */\n  | 'ERR_WAL_${name}'`), name);
    assert.ok(readme.includes(`| \`ERR_WAL_${name}\` | ${sentence} |`), name);
  }
  assert.equal(declared.match(/^ {2}\| 'ERR_WAL_/gm).length, list.length);
});

test('every option of the list is an option here', () => {
  const [, body] = declared.match(/^export interface OpenOptions \{\n([^]*?)^\}/m);
  const names = [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name);
  const list = tables('option').map(({ name, unit }) => camel(unit ? `${name}_${unit}` : name));
  assert.deepEqual(new Set(names), new Set([...list, 'readOnly']));
});
