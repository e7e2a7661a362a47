/** What the documentation shows must work. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import yargs, { type Argv } from 'yargs';
import { EXIT } from '../bench/exit-codes.ts';
import { readPolicySpec } from '../lock/policy-spec.ts';

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

const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docker/README.md', 'docker/ec2/README.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(PAGES)('what %s names is there:', (page) => {
  const text = read(page);
  const found = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))];

  it('files and folders', () => {
    const named = found(/[`\s(]((?:bench|client|docs|lock|net|server|test|workers)\/[\w./-]*\w\/?)(?=[`\s).,:;#])/g);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const linked = found(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
    expect(linked.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
  });

  it('scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(found(/npm run ([\w:]+)/g).filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('the command lines of the pages', () => {
  /** `npm run bench -- …` and `convoy …`, to the comment behind it; `docker/` is held against the command itself elsewhere. */
  const lines = PAGES.filter((page) => !page.startsWith('docker/')).flatMap((page) =>
    [...read(page).matchAll(/(?:^ {4}|`)(?:npx )?(?:convoy|npm run bench --) ([^`\n]*?)(?: {3}.*| +#.*)?[`\n]/gm)].map(
      ([, line = '']) => [page, line] as const,
    ),
  );
  const commands = readdirSync(join(root, 'bench/commands')).map((name) => name.replace(/\.ts$/, ''));

  it('are found', () => expect(lines.length).toBeGreaterThan(60));

  it.each(lines)('%s: convoy %s', async (page, line) => {
    const [first = ''] = line.split(' ');
    // The two sides of the control connection say this to each other.
    if (page === 'docs/TWO-MACHINES.md' && first === 'control') return;
    const command = first.startsWith('-') ? 'bench' : first;
    expect(commands).toContain(command);
    const { withOptions } = (await import(`../bench/commands/${command}.ts`)) as {
      withOptions(yargs: Argv, argv: readonly string[]): Argv | Promise<Argv>;
    };
    const help = await (await withOptions(yargs([]), [])).getHelp();
    for (const [option] of line.matchAll(/(?<= )--[a-z-]+|^--[a-z-]+/g))
      expect(help).toMatch(new RegExp(`${option}\\b`));
  });
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
