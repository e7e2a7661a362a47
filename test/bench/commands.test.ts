/** The commands around a result, by running them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { runHere } from '../command/run-here.ts';
import { cell, result, roundsOf, wideResult } from './result-builder.ts';

const MAIN = resolve(import.meta.dirname, '../../dist/bench/main.js');
/** One unloaded cell and one loaded, of a few messages: what is tested is what becomes of them. */
const SHORT = [
  '--server',
  'blocking',
  '--policy',
  'free-threaded',
  '--messages',
  '5',
  '--warmup',
  '5',
  '--budget',
  '5s',
];

let folder: string;
let first: string;
let second: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-commands-'));
  first = join(folder, 'first.json');
  second = join(folder, 'second.json');
  writeFileSync(first, JSON.stringify(wideResult(['py32', 'priority'])));
  writeFileSync(second, JSON.stringify(result([cell('py32/blocking unloaded', roundsOf([9, 9.1, 9.2]))])));
});
afterAll(() => rmSync(folder, { recursive: true }));

function convoy(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONVOY_')));
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...inherited, NO_COLOR: '1', ...environment },
  });
  return { code: status, stdout, stderr };
}

describe('convoy show', () => {
  it.each([
    [[], /loaded: seconds for 10,000 messages/],
    [['--markdown'], /### loaded: seconds/],
    [['--csv'], /^server,policy,scenario,/],
  ])('renders a file again: %j', async (options, expected) => {
    const { code, stdout, stderr } = await runHere('show', first, ...options);
    expect(stdout).toMatch(expected);
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: '' });
    expect(stdout).not.toContain('\u001b');
  });
});

describe('convoy compare', () => {
  it('names what became slower, and what only one file has', async () => {
    const { code, stdout } = await runHere('compare', first, second);
    expect(stdout).toMatch(/py32\/blocking unloaded .* slower/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/only in a: .*priority\/native loaded/);
    expect(code).toBe(EXIT.ok);
  });
});

describe('convoy schema', () => {
  it('prints a JSON Schema with every field of a result', async () => {
    const { code, stdout } = await runHere('schema');
    const schema = JSON.parse(stdout);
    expect(code).toBe(EXIT.ok);
    expect(schema.$schema).toContain('json-schema.org');
    expect(Object.keys(schema.properties)).toEqual(Object.keys(resultSchema.shape));
  });
});

describe('convoy completion', () => {
  it('prints a script, and completes options', () => {
    expect(convoy(['completion']).stdout).toContain('convoy');
    expect(convoy(['--get-yargs-completions', 'convoy', 'bench', '--pol']).stdout).toContain('--policy');
  });
});

describe('convoy bench', () => {
  it('writes every format, judges thresholds, and is quiet when told so', async () => {
    const paths = { json: join(folder, 'r.json'), csv: join(folder, 'sub', 'r.csv'), markdown: join(folder, 'r.md') };
    const outputs = Object.entries(paths).flatMap(([option, path]) => [`--${option}`, path]);
    const threshold = 'free-threaded/blocking unloaded max <= 60s';
    const { code, stdout, stderr } = convoy([...SHORT, '--rounds', '2', '--quiet', ...outputs, '--assert', threshold]);
    expect(stdout).toMatch(/^pass {9}free-threaded\/blocking unloaded max <= 60s: max is .* ms, 95 % interval/m);
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: '' });
    expect(resultSchema.parse(JSON.parse(readFileSync(paths.json, 'utf8'))).cells).toHaveLength(2);
    expect(readFileSync(paths.csv, 'utf8')).toBe((await runHere('show', '--csv', paths.json)).stdout);
    expect(readFileSync(paths.markdown, 'utf8')).toBe((await runHere('show', '--markdown', paths.json)).stdout);
  });

  it('ends with another code for a threshold that fails, and for one that one round cannot decide', () => {
    const fails = ['--scenario', 'unloaded', '--assert', 'free-threaded/blocking unloaded total <= 1us'];
    expect(convoy([...SHORT, '--rounds', '2', '--quiet', ...fails])).toMatchObject({ code: EXIT.thresholdFailed });
    const { code, stdout } = convoy([...SHORT, '--rounds', '1', '--quiet', ...fails]);
    expect(stdout).toMatch(/^inconclusive .*--rounds 3/m);
    expect(code).toBe(EXIT.inconclusive);
  });

  it('writes every format of what was finished when it is interrupted', async () => {
    const paths = { json: join(folder, 'i.json'), csv: join(folder, 'i.csv'), markdown: join(folder, 'i.md') };
    const outputs = Object.entries(paths).flatMap(([option, path]) => [`--${option}`, path]);
    const run = spawn(process.execPath, [MAIN, ...SHORT, '--rounds', '1000', ...outputs], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 25_000,
    });
    // The first line on stderr: a cell is finished.
    await once(run.stderr, 'data');
    run.kill('SIGINT');
    const [code] = await once(run, 'exit');
    expect(code).toBe(EXIT.interrupted);
    expect(resultSchema.parse(JSON.parse(readFileSync(paths.json, 'utf8'))).interrupted).toBe(true);
    expect(readFileSync(paths.csv, 'utf8')).toBe((await runHere('show', '--csv', paths.json)).stdout);
    expect(readFileSync(paths.markdown, 'utf8')).toContain('interrupted: only what was finished is shown');
  });

  it('takes options from environment and file; the command line has the last word', () => {
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ server: 'blocking', policy: 'py27', messages: 7, rounds: 1, warmup: 1 }));
    const json = join(folder, 'options.json');
    const { code, stderr } = convoy(['--policy', 'free-threaded', '--json', json], {
      CONVOY_CONFIG: config,
      CONVOY_MESSAGES: '6',
      CONVOY_NO_SUCH: '1',
    });
    expect(stderr).toContain('CONVOY_NO_SUCH is in the environment, but --no-such is no option: ignored');
    expect(code).toBe(EXIT.ok);
    const { workload, policies } = resultSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
    expect(workload.messages).toBe(6);
    expect(policies.map(({ label }) => label)).toEqual(['free-threaded']);
  });
});

describe('is refused with code 64, before anything starts:', () => {
  it.each([
    [['show'], /Not enough/],
    [['show', '/nowhere.json'], /there is no file \/nowhere\.json/],
    [['show', 'package.json'], /no result of Convoy/],
    [['show', 'package.json', '--csv', '--markdown'], /mutually exclusive/],
    [['compare', 'package.json'], /Not enough/],
    [['compare', 'package.json', 'package.json'], /no result of Convoy/],
    [['--assert', 'slowdown <= 2'], /write POLICY\/SERVER/],
    [['--assert', 'py99/blocking slowdown <= 2'], /this run has no cell py99\/blocking loaded/],
    [['--policy', 'py27', '--assert', 'py32/blocking p99 <= 2s'], /this run has no cell/],
    [['--assert', 'py32/blocking speed <= 2'], /no metric «speed»/],
    [['--preset', 'lecture'], /no preset «lecture»; there are talk/],
    [['--config', '/nowhere.json'], /--config \/nowhere\.json/],
    [['--csv', '/proc/nowhere/r.csv'], /--csv: .* cannot be written/],
    [['--markdown', '/'], /--markdown: .*folder/],
    [['--json', '/dev/null'], /no ordinary file/],
    [['--json', 'same', '--csv', './same'], /need a file each/],
    [['--json', 'same', '--calibrate', './same'], /--calibrate needs a file of its own/],
    [['--calibrate', '/proc/nowhere/p.json'], /--calibrate: .* cannot be written/],
    [['--calibrate', 'p.json', '--connect', '127.0.0.1:1'], /--calibrate is of this machine/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runHere(...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });
});
