import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROFILE_VERSION } from '../../bench/profiles/interpreter-profile.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'convoy-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const read = (name: string) => resultSchema.parse(JSON.parse(readFileSync(at(name), 'utf8')));
const small = ['simulate', '--server', 'blocking,native', '--policy', 'py32,py27', '--messages', '50'];

it('the same command line gives the same bytes', async () => {
  const files = [];
  for (let i = 0; i < 2; i++) {
    expect(await convoy(...small, '--seed', '7', '--json', at('same.json'))).toMatchObject({ code: 0 });
    files.push(readFileSync(at('same.json'), 'utf8'));
  }
  expect(files[0]).toBe(files[1]);
});

it('takes what an interpreter does from the profile that bench takes it from', async () => {
  const profile = {
    format: 'convoy-interpreter-profile',
    version: PROFILE_VERSION,
    note: 'of a test',
    parameters: { interpreterCostNs: 7_000, py27: { interpreterCostNs: 2_000, ticksPerLeaf: 20, ticksPerCall: 20 } },
    calibration: null,
  };
  writeFileSync(at('python.json'), JSON.stringify(profile));
  await convoy(...small, '--interpreter', at('python.json'), '--json', at('interpreter.json'));
  const { workload, policies } = read('interpreter.json');
  expect(workload.interpreterCostNs).toBe(7_000);
  expect(policies).toMatchObject([
    { label: 'py32' },
    { label: 'py27', interpreterCostNs: 2_000, ticksPerLeaf: 20, ticksPerCall: 20, options: { check: 100 } },
  ]);
  const none = await runHere('simulate', '--interpreter', at('interpreter.json'));
  expect(none.stderr).toMatch(/--interpreter: .* is no profile of convoy calibrate/);
  expect(none.code).toBe(64);
});

it('the parts of a sweep are the whole, merged', async () => {
  const sweep = [...small, '--cpus', '1..2', '--spinners', '0..2', '--rounds', '2'];
  await convoy(...sweep, '--json', at('whole.json'));
  for (const part of [1, 2, 3]) await convoy(...sweep, '--shard', `${part}/3`, '--json', at(`${part}.json`));
  const merged = await runHere('merge', at('1.json'), at('2.json'), at('3.json'), '-o', at('merged.json'));
  expect(merged).toMatchObject({ code: 0 });
  // 2 servers, 2 policies, 1 and 2 CPUs; unloaded, and loaded by 1 and 2 CPU threads.
  expect(read('whole.json').cells).toHaveLength(2 * 2 * 2 * 3);
  expect(read('merged.json').cells).toEqual(read('whole.json').cells);
  expect(read('merged.json').simulation).toEqual(read('whole.json').simulation);
});

describe('parts that are no whole are refused, and it is said why', () => {
  const merge = (...files: string[]) => runHere('merge', ...files.map(at), '-o', at('no-whole.json'));
  beforeAll(async () => {
    for (const part of ['1/4', '2/4', '3/4', '1/2']) {
      await convoy(...small, '--rounds', '4', '--shard', part, '--json', at(`${part.replace('/', '-of-')}.json`));
    }
  });

  it.each([
    [
      'one is missing',
      ['1-of-4.json', '2-of-4.json', '3-of-4.json'],
      /^convoy: no file has shard 4\/4: .* --shard 4\/4,/,
    ],
    ['several are missing', ['2-of-4.json'], /^convoy: no file has shard 1\/4, 3\/4, 4\/4: .* --shard 1\/4 and so on/],
    ['one is there twice', ['1-of-4.json', '2-of-4.json', '1-of-4.json'], /1-of-4\.json are both shard 1\/4$/m],
    ['of other parts', ['1-of-4.json', '1-of-2.json'], /1-of-2\.json and .*1-of-4\.json are not parts of one run$/m],
  ])('%s', async (_, files, message) => {
    const { code, stdout, stderr } = await merge(...files);
    expect(stderr.trim()).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(existsSync(at('no-whole.json'))).toBe(false);
  });
});

it('holds a simulated result against another, cell by cell', async () => {
  await convoy(...small, '--cpus', '2', '--rounds', '2', '--json', at('measured.json'));
  const { code, stdout } = await convoy(
    ...['simulate', '--against', at('measured.json'), '--cpus', '2', '--json', at('against.json')],
  );
  expect(code).toBe(0);
  // As often as it was measured.
  expect(read('against.json').rounds).toBe(2);
  expect(stdout).toMatch(/off by 0 % in the median cell, 0 % in the worst/);

  // Some of its cells, and nothing but those: what the result says itself cannot be asked for.
  const some = ['--server', 'blocking', '--policy', 'py27', '--scenario', 'loaded'];
  await convoy('simulate', '--against', at('measured.json'), ...some, '--json', at('some.json'));
  const names = read('some.json').cells.map(({ server, policy, scenario }) => `${server} ${policy} ${scenario}`);
  expect(names).toEqual(['blocking py27 unloaded', 'blocking py27 loaded']);
  for (const [asked, message] of [
    [['--server', 'zeromq'], /there is no server «zeromq»; there are native, blocking/],
    [['--policy', 'priority'], /there is no policy «priority»; there are py32, py27/],
    [['--scenario', 'offloaded'], /there is no scenario «offloaded»; there are unloaded, loaded/],
    [['--messages', '5'], /--against takes this from the result: leave --messages out/],
    [['--spinners', '2'], /leave --spinners out/],
  ] as const) {
    const refused = await runHere('simulate', '--against', at('measured.json'), ...asked);
    expect(refused.stderr).toMatch(message);
    expect(refused.code).toBe(64);
  }
});

describe('impossible machines are refused', () => {
  it.each([
    [['--cpus', '0'], '--cpus'],
    [['--spinners', '1000000000'], '--spinners'],
    [['--profile', 'nowhere'], 'there is no profile'],
    [['--shard', '3/2'], '--shard'],
    [['--cpus', '1..64', '--messages', '1000000'], '--shard'],
  ])('%s', async (args, message) => {
    expect(await runHere('simulate', ...args)).toMatchObject({ code: 64, stderr: expect.stringContaining(message) });
  });
});

describe('a policy that does not work is named with its steps, and the others are simulated', () => {
  const policy = (name: string, acquire: string, yieldPoint = "{ kind: 'requested', word: words.A }") => {
    writeFileSync(
      at(`${name}.mjs`),
      `export default { name: '${name}', summary: '', exclusive: true, words: { A: '', B: '' }, options: {},
        rules: (words) => ({ *acquire(m) { ${acquire} }, *release(m) { yield m.store(words.A, 0); yield m.notify(words.A, 1); }, yieldPoint: ${yieldPoint} }) };`,
    );
    return at(`${name}.mjs`);
  };

  it.each([
    ['waits-alone', 'yield m.wait(words.B, 0, Infinity);', /nothing can happen any more.*after \d+ steps/],
    ['throws', "yield m.load(words.A); throw new Error('oh');", /throws: oh, after \d+ steps/],
    ['never-ends', 'for (;;) yield m.load(words.A);', /10000000 steps without an end/],
    ['loops', 'yield m.load(words.A); for (;;);', /loops without a step, .* after \d+ steps/],
    [
      'waits-aside',
      'yield m.load(words.A); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
      /waits for something that is not in its words, after \d+ steps/,
    ],
  ])('%s', async (name, acquire, message) => {
    const { code, stderr, stdout } = await convoy(
      'simulate',
      ...['--policy', `py32,${policy(name, acquire)}`, '--server', 'blocking', '--messages', '20'],
    );
    expect(stderr).toMatch(new RegExp(`«${name}».*`));
    expect(stderr).toMatch(message);
    expect(stdout).toMatch(/blocking +py32 +20 +[0-9.]+/);
    expect(code).toBe(4);
  });

  it('never-yields', async () => {
    const take = 'while ((yield m.exchange(words.A, 1)) !== 0) yield m.wait(words.A, 1, Infinity);';
    const { code, stderr } = await convoy(
      'simulate',
      ...['--policy', policy('never-yields', take, "{ kind: 'never' }"), '--server', 'blocking', '--messages', '20'],
    );
    expect(stderr).toMatch(/«never-yields».*nothing can happen any more while settling, after \d+ steps/);
    expect(code).toBe(4);
  });
});
