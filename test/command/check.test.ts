/** `convoy check` as its users run it: proofs, failures, and policies that do not come back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { Convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const PROOF_MS = 120_000;

function check(...args: string[]) {
  return new Convoy('check', ...args).finished();
}

describe('the policies that come with Convoy are proved', () => {
  it(
    'for two threads',
    async () => {
      const { code, stdout } = await check('--threads', '2');
      expect(stdout).toMatch(/(\d+) of \1 proved, 0 broken, 0 not proved/);
      expect(code).toBe(EXIT.ok);
    },
    PROOF_MS,
  );

  it(
    'with pre-emptions bounded, where lives are too long for all of them',
    async () => {
      const { code, stdout } = await check('priority', '--threads', 'io1@1+io1+io1', '--preemptions', '2');
      expect(stdout).toContain('holds within the bound');
      expect(stdout).toContain('every order with at most 2 pre-emptions');
      expect(code).toBe(EXIT.ok);
    },
    PROOF_MS,
  );

  it(
    'for three threads',
    async () => {
      const { code, stdout } = await check('--threads', 'io0+io0+io0');
      expect(stdout).toMatch(/(\d+) of \1 proved, 0 broken, 0 not proved/);
      expect(code).toBe(EXIT.ok);
    },
    PROOF_MS,
  );
});

describe('a policy of the user', () => {
  let folder: string;
  const policies = {
    broken: `*acquire(m) { while ((yield m.load(LOCKED)) !== 0) yield m.wait(LOCKED, 1, Infinity); yield m.store(LOCKED, 1); },
             *release(m) { yield m.store(LOCKED, 0); yield m.notify(LOCKED, 1); },`,
    'never-yields': '*acquire(m) { yield m.load(LOCKED); for (;;); }, *release() {},',
    throws: "*acquire(m) { yield m.load(LOCKED); throw new Error('not today'); }, *release() {},",
    'goes-on': '*acquire(m) { let i = 0; for (;;) { i++; yield m.add(LOCKED, i); } }, *release() {},',
    'waits-aside': `*acquire(m) { yield m.load(LOCKED); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
                    *release() {},`,
  };
  const path = (name: keyof typeof policies) => join(folder, `${name}.mjs`);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-check-'));
    for (const [name, rules] of Object.entries(policies)) {
      writeFileSync(
        join(folder, `${name}.mjs`),
        `export default { name: '${name}', summary: '', exclusive: true, words: { LOCKED: '' }, options: {},
           rules({ LOCKED }) { return { ${rules} yieldPoint: { kind: 'never' } }; } };`,
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('that is broken is shown with a schedule, which can be followed again', async () => {
    const { code, stdout } = await check(path('broken'), '--threads', 'io0+io0');
    expect(code).toBe(EXIT.thresholdFailed);
    expect(stdout).toContain('broken: one-holder: threads 1 and 2 hold the lock at once');
    expect(stdout).toContain('acquire: load(LOCKED) → 0');
    const [, schedule = ''] = /--replay (\S+)/.exec(stdout) ?? [];
    const again = await check(path('broken'), '--replay', schedule);
    expect(again.stdout).toContain('broken: one-holder');
    expect(again.code).toBe(EXIT.thresholdFailed);
  });

  it('that does not come back is named with its step, and ended', async () => {
    const run = new Convoy('check', path('never-yields'), path('waits-aside'), '--threads', 'io0');
    const { code, stdout } = await run.finished();
    expect(stdout).toMatch(/never-yields .* acquire of thread 1, after 1 steps, loops without a yield/);
    expect(stdout).toMatch(/waits-aside .* acquire of thread 1, after 1 steps/);
    expect(code).toBe(EXIT.thresholdFailed);
    expect(await run.leftovers()).toEqual([]);
  });

  it('that throws, or makes steps without end, is named with how many it made', async () => {
    const { code, stdout } = await check(path('throws'), path('goes-on'), '--threads', 'io0');
    expect(stdout).toMatch(/throws .* acquire of thread 1 throws Error: not today, after 1 step\b/);
    expect(stdout).toMatch(/goes-on .* not proved: acquire of thread 1 has made 1,000 steps/);
    expect(code).toBe(EXIT.thresholdFailed);
  });

  it('is left where it is when the user interrupts, and what is finished is shown', async () => {
    const run = new Convoy('check', 'py27', 'priority', '--threads', 'io2+io2,io1@1+io1+io1');
    await run.until(() => run.stdout.includes('py27'));
    run.process.kill('SIGINT');
    const { code, stdout } = await run.finished();
    expect(stdout).toMatch(/of 4 proved, 0 broken, 0 not proved, \d not finished/);
    expect(code).toBe(EXIT.interrupted);
    expect(await run.leftovers()).toEqual([]);
  });

  it('that outgrows its bound is not called proved', async () => {
    const { code, stdout } = await check('py32', '--threads', 'io1+io1', '--states', '100');
    expect(stdout).toMatch(
      /not proved: more than 100 states, with every schedule of up to \d+ steps among them; until then nothing was found/,
    );
    expect(code).toBe(EXIT.inconclusive);
  });

  it('is refused: a schedule that it cannot make', async () => {
    const { code, stderr } = await check('py32', '--replay', 'io0:2');
    expect(stderr).toMatch(/is no schedule of py32/);
    expect(code).toBe(EXIT.usage);
  });

  it.each([
    [['py33'], /no policy «py33»/],
    [['--threads', '5'], /--threads is a number from 2 to 4/],
    [['--threads', '1000000000'], /--threads is a number from 2 to 4/],
    [['--threads', 'io1*2'], /not «io1\*2»/],
    [['--replay', 'io0:1'], /--replay needs the one policy/],
    [['py32', '--replay', 'io0:1', '--replay', 'io0:1'], /--replay is given more than once/],
    [['--preemptions', 'few'], /--preemptions is a whole number/],
  ])('is refused: %s', async (args, message) => {
    const { code, stderr } = await runHere('check', ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.usage);
  });
});
