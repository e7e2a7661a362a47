/** What the documentation shows must work. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../bench/exit-codes.ts';
import { readPolicySpec } from '../lock/load-policy.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

it('the policy in docs/WRITING-A-POLICY.md is one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-docs-'));
  const [, text = ''] = /```js\n([\s\S]*?)```/.exec(read('docs/WRITING-A-POLICY.md')) ?? [];
  const path = join(folder, 'ticket-lock.mjs');
  writeFileSync(path, text);
  const spec = await readPolicySpec(`${path}(check=100)`);
  expect(spec.label).toBe('ticket-lock(check=100)');
  rmSync(folder, { recursive: true });
});

it('README lists every exit code', () => {
  for (const code of Object.values(EXIT)) expect(read('README.md')).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
});

describe('docs/RELIABILITY.md', () => {
  const rows = read('docs/RELIABILITY.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has a row for each fault', () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) expect(row, row.join('|')).toHaveLength(7);
  });

  it.each(rows.map(([, fault = '', , , , tested = '']) => [fault, tested]))('%s: its test is there', (_, tested) => {
    const [, file = '', name = ''] = /^`(test\/\S+)`: (.+)$/.exec(tested) ?? [];
    expect(read(file).replaceAll("\\'", "'")).toContain(name);
  });

  it.each(rows.map(([, fault = '', , code = '']) => [fault, code]))('%s: its exit code is one', (_, code) => {
    const codes = Object.values(EXIT).map(String);
    for (const [number] of code.matchAll(/\d+/g)) expect(codes).toContain(number);
    expect(code).toMatch(/\d/);
  });
});

it('Node is the same everywhere it is named', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  expect(engines.node).toBe('>=20.19');
  expect(read('.nvmrc')).toMatch(/^20\./);
  for (const path of ['README.md', 'CONTRIBUTING.md']) expect(read(path)).toContain('Node 20.19 or newer');
});
