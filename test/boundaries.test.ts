/** The arrows of ARCHITECTURE.md are enforced by the linter: an import against them must fail. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'convoy-boundaries-'));
  cpSync(join(root, 'biome.json'), join(copy, 'biome.json'));
});
afterAll(() => rmSync(copy, { recursive: true }));

/** Lints one file that imports another, in a tree that has nothing else. */
function lint(file: string, imported: string): { code: number | null; output: string } {
  const path = join(copy, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `import { thing } from '${imported}';\n\nthing();\n`);
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/biome'),
    ['lint', '--max-diagnostics=5', file],
    {
      cwd: copy,
      encoding: 'utf8',
    },
  );
  rmSync(path);
  return { code: status, output: stdout + stderr };
}

it.each([
  ['lock/a.ts', '../net/posix.ts'],
  ['lock/policies/a.ts', '../../server/driver.ts'],
  ['net/a.ts', '../lock/memory.ts'],
  ['net/a.ts', '../server/driver.ts'],
  ['server/a.ts', '../client/framed.ts'],
  ['server/a.ts', '../workers/spinner.ts'],
  ['client/a.ts', '../lock/memory.ts'],
  ['client/a.ts', '../server/calls.ts'],
  ['workers/a.ts', '../bench/run/plan.ts'],
  ['bench/measure/a.ts', '../render/terminal.ts'],
  ['bench/figures/a.ts', '../render/format.ts'],
  ['bench/run/a.ts', '../outputs/outputs.ts'],
  ['bench/processes/a.ts', '../commands/bench.ts'],
  ['bench/warnings/a.ts', '../render/format.ts'],
  ['bench/reference/a.ts', '../render/format.ts'],
  ['bench/render/a.ts', '../measure/measure.ts'],
  ['bench/render/a.ts', '../run/run.ts'],
  ['bench/demo/page/a.ts', '../../../lock/memory.ts'],
])('%s may not import %s', (file, imported) => {
  const { code, output } = lint(file, imported);
  expect(output).toContain('noRestrictedImports');
  expect(output).toContain('ARCHITECTURE.md');
  expect(code).not.toBe(0);
});

it.each([
  ['server/a.ts', '../lock/global-lock.ts'],
  ['workers/a.ts', '../server/driver.ts'],
  ['client/a.ts', '../net/posix.ts'],
  ['bench/measure/a.ts', '../../server/echo-server.ts'],
  ['bench/commands/a.ts', '../render/terminal.ts'],
  ['bench/render/a.ts', '../figures/metrics.ts'],
])('%s may import %s', (file, imported) => {
  expect(lint(file, imported)).toMatchObject({ code: 0 });
});
