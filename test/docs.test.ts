/** What the documentation shows must work. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
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

it('Node is the same everywhere it is named', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  expect(engines.node).toBe('>=20.19');
  expect(read('.nvmrc')).toMatch(/^20\./);
  for (const path of ['README.md', 'CONTRIBUTING.md']) expect(read(path)).toContain('Node 20.19 or newer');
});
