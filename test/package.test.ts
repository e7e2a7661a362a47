/** The package as a user gets it: everything it needs to run, and no tests. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
let folder: string;
let files: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-package-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [tarball] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  files = tarball.files.map(({ path }) => path);
  execFileSync('tar', ['-xzf', join(folder, tarball.filename), '-C', folder]);
  // Its dependencies, without asking a registry.
  mkdirSync(join(folder, 'package'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'package/node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('holds the program, its documentation and its licence, and no tests', () => {
  const needed = ['dist/bench/main.js', 'dist/server/main.js', 'README.md', 'LICENSE'];
  const ofPages = ['echarts.min.js', 'page.css', 'client/page.js'].map((name) => `dist/bench/render/html/${name}`);
  const inOtherLanguages = ['bench/reference/echo_servers.py', 'bench/reference/lock_counter.c'];
  const ofTheDemo = [
    'dist/bench/demo/page/main.js',
    ...['index.html', 'style.css', 'icon.svg'].map((name) => `bench/demo/page/${name}`),
  ];
  for (const file of [...needed, ...ofPages, ...inOtherLanguages, ...ofTheDemo]) expect(files).toContain(file);
  expect(files.filter((file) => /\btest\b/.test(file))).toEqual([]);
});

it('runs the main job where it was unpacked', () => {
  const main = join(folder, 'package/dist/bench/main.js');
  const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
  expect(run('--help').stdout).toContain('--scenario');
  const { status, stdout } = run(
    '--policy',
    'free-threaded',
    '--server',
    'blocking',
    '--messages',
    '5',
    '--rounds',
    '1',
    '--report',
    join(folder, 'page.html'),
  );
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('echarts');
  expect(stdout).toContain('free-threaded');
  expect(status).toBe(0);
  // An interpreter that is not there is said to be so by what looks for it: had its program been lost, every one would be.
  expect(run('fidelity', '--reference', 'python9.9').stderr).toContain('there is no «python9.9»');
});

it('depends at run time on what it imports, and on nothing it only tests with', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const imported = new Set(
    files
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import\()\s*'([^'./][^']*)'/g)])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:'))
      .map((name) => name.split('/')[0]),
  );
  for (const name of imported) expect(Object.keys(dependencies)).toContain(name);
});
