import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { allowedCpus, formatCpuList, parseCpuList } from '../../../bench/processes/cpu-list.ts';
import type * as AllPlaces from '../../../bench/simulate/calibrate-places.ts';
import { apart } from '../../../bench/simulate/calibrate-places.ts';
import type * as Waking from '../../../bench/simulate/calibrate-waking.ts';
import { compiled } from '../../compiled.ts';

const CPUS = parseCpuList(allowedCpus()) ?? [];

it('a thread that found what it was to wait for, and did not sleep, is told from those that were woken', async () => {
  // Compiled: it starts a thread.
  const { wakeUps }: typeof Waking = await import(compiled('bench/simulate/calibrate-waking.js').href);
  // In turn: at once, and when it has slept for long.
  const found = await wakeUps(apart(1), { kind: 'working', idleMs: [0, 1] }, 400);
  const slept = (turn: number) => found.filter((wake, i) => i % 2 === turn && wake.slept).length;
  expect(slept(1)).toBe(found.length / 2);
  expect(slept(0)).toBeLessThan(slept(1));
});

it('a waker that computes is told for how long, before each wake-up', async () => {
  const { wakeUps }: typeof Waking = await import(compiled('bench/simulate/calibrate-waking.js').href);
  const workedNs: number[] = [];
  const interpreter = { work: (ns: number) => void workedNs.push(ns) };
  await wakeUps(apart(1), { kind: 'computing', idleMs: [1, 0.02], interpreter }, 4);
  expect(workedNs).toEqual([1e6, 20_000, 1e6, 20_000]);
});

it.each([
  ['all', CPUS],
  ['the last one', CPUS.slice(-1)],
])(
  'threads wake each other on the CPUs this process was given, and they are its own when they are done: %s',
  (_, cpus) => {
    const script = `
    const { placeThread } = await import('${compiled('bench/processes/affinity.js').href}');
    placeThread([${cpus}]);
    const { apart } = await import('${compiled('bench/simulate/calibrate-places.js').href}');
    const { wakeUps } = await import('${compiled('bench/simulate/calibrate-waking.js').href}');
    await wakeUps(apart(1), { kind: 'sleeping' }, 10);
    const { allowedCpus } = await import('${compiled('bench/processes/cpu-list.js').href}');
    console.log(JSON.stringify([apart(1), allowedCpus()]));`;
    // A file, since threads do not start from a text.
    const folder = mkdtempSync(join(tmpdir(), 'convoy-waking-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'wake.mjs'), script);
    const said = execFileSync(process.execPath, [join(folder, 'wake.mjs')], { encoding: 'utf8' });
    const [waker, sleeper = waker] = cpus;
    expect(JSON.parse(said)).toEqual([{ sleeper, waker, busy: false }, formatCpuList(cpus)]);
  },
);

it('what is done on one CPU has one, and so have the processes it starts, and then all again', async () => {
  const { onOneCpu }: typeof AllPlaces = await import(compiled('bench/simulate/calibrate-places.js').href);
  const said = () =>
    execFileSync(
      process.execPath,
      ['-e', "process.stdout.write(require('node:fs').readFileSync('/proc/self/status', 'utf8'))"],
      {
        encoding: 'utf8',
      },
    );
  const cpusOf = (status: string) => /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1];
  const [first = 0] = CPUS;
  await expect(
    onOneCpu(async () => {
      expect(cpusOf(said())).toBe(String(first));
      throw new Error('ends so, too');
    }),
  ).rejects.toThrow('ends so, too');
  expect(cpusOf(said())).toBe(formatCpuList(CPUS));
});

it('every other round is the other way round', () => {
  const { sleeper, waker, busy } = apart(1);
  expect(apart(2)).toEqual({ sleeper: waker, waker: sleeper, busy });
  expect(apart(3)).toEqual(apart(1));
});
