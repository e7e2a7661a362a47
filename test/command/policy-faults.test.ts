/** A policy of the user's that throws, never returns, or takes its thread with it: the cell fails and says so, the others are measured. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import type * as readPolicyModule from '../../bench/processes/read-policy.ts';
import { TALK_USE } from '../../lock/policy-spec.ts';
import { compiled } from '../compiled.ts';
import { Convoy } from './convoy.ts';

type ReadPolicyModule = typeof readPolicyModule;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-policy-faults-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A semaphore, with something else somewhere in it. `calls` counts the acquires of a thread, `spinner` says that it is a CPU thread. */
function policy(name: string, { top = '', rules = '', acquire = '', release = '', spinnerStarts = '' }): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `${top}
     const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
     export default { name: '${name}', summary: '', exclusive: true, words: { HELD: '', WAITERS: '' }, options: {},
       rules({ HELD, WAITERS }) {
         ${rules}
         let calls = 0;
         let spinner = false;
         return {
           *acquire(m) {
             calls++;
             ${acquire}
             if ((yield m.compareExchange(HELD, 0, 1)) === 0) return;
             yield m.add(WAITERS, 1);
             while ((yield m.compareExchange(HELD, 0, 1)) !== 0) yield m.wait(HELD, 1, Infinity);
             yield m.add(WAITERS, -1);
           },
           *release(m) {
             ${release}
             yield m.store(HELD, 0);
             if ((yield m.load(WAITERS)) > 0) yield m.notify(HELD, 1);
           },
           *setPriority() { spinner = true; calls = 0; ${spinnerStarts} },
           yieldPoint: { kind: 'ticks', every: 1000 },
         };
       },
     };`,
  );
  return path;
}

/** Runs them beside a policy that is well. */
async function bench(paths: readonly string[], scenario: string) {
  const run = new Convoy(
    ...[
      '--policy',
      ['free-threaded', ...paths].join(),
      '--server',
      'blocking',
      '--scenario',
      scenario,
      '--spinners',
      '3',
    ],
    ...['--messages', '20', '--warmup', '50', '--budget', '500ms', '--seed', '1'],
  );
  const finished = await run.finished();
  return { ...finished, leftovers: await run.leftovers(), failed: finished.stderr.match(/^failed .*/gm) ?? [] };
}

describe('while it is loaded it is refused, whatever it does', () => {
  it.concurrent.each([
    ['throws-at-top', { top: "throw new Error('boom');" }, /does not load: boom/],
    ['throws-in-rules', { rules: "throw new Error('boom');" }, /rules\(\) throws: boom/],
    ['exits', { top: 'process.exit(3);' }, /cannot be loaded: .* ended with exit code 3/],
    ['waits-at-top', { top: 'await new Promise(() => {});' }, /does not come back within 10 s/],
  ])('%s', async (name, faults, message) => {
    const path = policy(name, faults);
    // They all read policies the same way; one file shows it.
    for (const command of name === 'throws-at-top' ? ['bench', 'check', 'simulate'] : ['bench']) {
      const args = command === 'check' ? [command, path] : [command, '--policy', path];
      const run = new Convoy(...args);
      const { code, stdout, stderr } = await run.finished();
      expect(stderr).toMatch(message);
      expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
      expect(await run.leftovers()).toEqual([]);
    }
  });

  // As the command reads it, but for its patience: a loop takes a CPU from everybody else until it is over.
  it.concurrent.each([
    ['loops-at-top', { top: 'for (;;);' }, /does not come back within 2 s: it loops or waits/],
    ['blocks-in-rules', { rules: 'sleep(Infinity);' }, /does not come back within 2 s: .* in rules\(\)/],
  ])('%s', async (name, faults, message) => {
    const { readPolicy } = (await import(compiled('bench/processes/read-policy.js').href)) as ReadPolicyModule;
    await expect(readPolicy(policy(name, faults), TALK_USE, 2_000)).rejects.toThrow(message);
  });
});

describe('while it is measured its cell fails, within seconds, and the others are measured', () => {
  const FAULTS = [
    [
      'throws-in-acquire',
      'unloaded',
      { acquire: "if (calls > 20) throw new Error('boom');" },
      /the policy throws: boom/,
    ],
    [
      'throws-in-release',
      'unloaded',
      { release: "if (calls > 20) throw new Error('boom');" },
      /the policy throws: boom/,
    ],
    ['throws-in-spinner', 'loaded', { spinnerStarts: "throw new Error('boom');" }, /a CPU thread failed: .* boom/],
    // The other two CPU threads are asleep in acquire by then.
    ['spinner-dies', 'loaded', { spinnerStarts: 'sleep(200); process.exit(7);' }, /a CPU thread failed: .* code: 7/],
    ['spinner-dies-late', 'loaded', { acquire: 'if (spinner && calls > 900) process.exit(7);' }, /a CPU thread failed/],
    [
      'server-dies',
      'unloaded',
      { acquire: 'if (calls > 20) process.exit(7);' },
      /thread \d+ of the server ended with exit code 7/,
    ],
  ] as const;
  // In one run: each is beside all of the others, too.
  const runs = new Map<string, ReturnType<typeof bench>>();
  function runOf(scenario: string): ReturnType<typeof bench> {
    const run =
      runs.get(scenario) ??
      bench(
        FAULTS.filter(([, where]) => where === scenario).map(([name, , faults]) => policy(name, faults)),
        scenario,
      );
    runs.set(scenario, run);
    return run;
  }

  // The first of a scenario waits for the run of all.
  it.each(FAULTS)('%s', { timeout: 120_000 }, async (name, scenario, _, message) => {
    const { code, stdout, stderr, failed, leftovers } = await runOf(scenario);
    const own = failed.filter((line) => line.includes(`: ${name}/`));
    expect(own, stderr).toHaveLength(1);
    expect(own[0]).toMatch(message);
    expect(own[0]).toContain(`the server's process cannot go on: policy «${name}»`);
    expect(own[0]).toMatch(/convoy check \S+\.mjs$/);
    expect(stdout).toMatch(/blocking free-threaded +20/);
    expect(code).toBe(EXIT.cellFailed);
    expect(leftovers).toEqual([]);
  });

  it.concurrent.each([
    ['loops-in-acquire', { acquire: 'while (calls > 20);' }],
    ['waits-in-acquire', { acquire: 'if (calls > 20) yield m.wait(WAITERS, 0, Infinity);' }],
    ['waits-aside-in-release', { release: 'if (calls > 20) sleep(Infinity);' }],
  ])('%s', async (name, faults) => {
    const { code, stdout, failed, leftovers } = await bench([policy(name, faults)], 'unloaded');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(/the server is silent: \d echoes came, and then none for seconds/);
    expect(failed[0]).toMatch(/convoy check \S+\.mjs$/);
    expect(stdout).toMatch(/blocking free-threaded +20/);
    expect(code).toBe(EXIT.cellFailed);
    expect(leftovers).toEqual([]);
  });
});
