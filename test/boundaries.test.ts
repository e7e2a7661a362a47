/** The arrows of ARCHITECTURE.md are enforced by the linter: an import against them must fail. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const FORBIDDEN = [
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
] as const;

const ALLOWED = [
  ['server/a.ts', '../lock/global-lock.ts'],
  ['workers/a.ts', '../server/driver.ts'],
  ['client/a.ts', '../net/posix.ts'],
  ['bench/measure/a.ts', '../../server/echo-server.ts'],
  ['bench/commands/a.ts', '../render/terminal.ts'],
  ['bench/render/a.ts', '../figures/metrics.ts'],
] as const;

/** Who import each other by way of a third. */
const CIRCLE = ['lock/circle/a.ts', 'lock/circle/b.ts', 'lock/circle/c.ts'];

/** What the linter says of each file, all linted at once in a tree that has nothing else. */
function lint(files: Readonly<Record<string, string>>): (file: string) => string[] {
  const root = resolve(import.meta.dirname, '..');
  const copy = mkdtempSync(join(tmpdir(), 'convoy-boundaries-'));
  cpSync(join(root, 'biome.json'), join(copy, 'biome.json'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
  const command = join(root, 'node_modules/.bin/biome');
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '.'];
  const { stdout } = spawnSync(command, args, { cwd: copy, encoding: 'utf8' });
  rmSync(copy, { recursive: true });
  const said = stdout.split('\n').filter((line) => line.startsWith('::error'));
  return (file) => said.filter((line) => line.includes(`/${file},`));
}

/** The importing file, in a name of its own. */
const named = (file: string, imported: string) => file.replace('.ts', `-${imported.replaceAll(/\W/g, '-')}.ts`);
const importing = (imported: string) => `import { thing } from '${imported}';\n\nexport const other = thing;\n`;
const saidOf = lint({
  ...Object.fromEntries(
    [...FORBIDDEN, ...ALLOWED].map(([file, imported]) => [named(file, imported), importing(imported)]),
  ),
  ...Object.fromEntries(CIRCLE.map((file, i) => [file, importing(`./${'bca'[i]}.ts`)])),
});

it.each(FORBIDDEN)('%s may not import %s', (file, imported) => {
  const said = saidOf(named(file, imported));
  expect(said).toEqual([expect.stringMatching(/noRestrictedImports.*ARCHITECTURE\.md/)]);
});

it.each(ALLOWED)('%s may import %s', (file, imported) => {
  expect(saidOf(named(file, imported))).toEqual([]);
});

it('files may not import each other, not even by way of a third', () => {
  for (const file of CIRCLE) expect(saidOf(file)).toEqual([expect.stringContaining('noImportCycles')]);
});
