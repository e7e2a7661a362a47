import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { allowedCpus, parseCpuList } from '../../../bench/processes/cpu-list.ts';
import { median } from '../../../bench/simulate/calibrate-samples.ts';
import type * as Waking from '../../../bench/simulate/calibrate-waking.ts';
import { compiled } from '../../compiled.ts';

it('a thread that found what it was to wait for, and did not sleep, is told from those that were woken', async () => {
  // Compiled: it starts a thread.
  const { APART, wakeUps }: typeof Waking = await import(compiled('bench/simulate/calibrate-waking.js').href);
  // In turn: at once, and when it has slept for long.
  const found = await wakeUps(APART, { kind: 'working', idleMs: [0, 1] }, 400);
  const slept = (turn: number) => found.filter((wake, i) => i % 2 === turn && wake.slept).length;
  expect(slept(1)).toBe(found.length / 2);
  expect(slept(0)).toBeLessThan(slept(1));
});

it('threads wake each other on the CPUs this process was given, and it has no others when they are done', () => {
  const cpu = parseCpuList(allowedCpus())?.at(-1);
  const script = `
    const { keepThreadOn } = await import('${compiled('bench/processes/affinity.js').href}');
    keepThreadOn([${cpu}]);
    const { APART, wakeUps } = await import('${compiled('bench/simulate/calibrate-waking.js').href}');
    await wakeUps(APART, { kind: 'sleeping' }, 10);
    const { allowedCpus } = await import('${compiled('bench/processes/cpu-list.js').href}');
    console.log(JSON.stringify([APART, allowedCpus()]));`;
  // A file, since threads do not start from a text.
  const folder = mkdtempSync(join(tmpdir(), 'convoy-waking-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'wake.mjs'), script);
  const said = execFileSync(process.execPath, [join(folder, 'wake.mjs')], { encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual([{ sleeper: cpu, waker: cpu, busy: false }, `${cpu}`]);
});

const cpus = parseCpuList(allowedCpus())?.length ?? 1;

it.skipIf(cpus < 2)(
  'a step that finds its cache line on another CPU takes longer than one that finds it here',
  async () => {
    const { APART, fetches }: typeof Waking = await import(compiled('bench/simulate/calibrate-waking.js').href);
    const { there, here } = await fetches(APART);
    expect(there).toHaveLength(here.length);
    expect(median(there)).toBeGreaterThan(median(here));
  },
);
