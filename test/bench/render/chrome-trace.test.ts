/** Traces of every policy in simulated time, and of made-up lives, read as a viewer reads them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderChromeTrace } from '../../../bench/render/chrome-trace.ts';
import type { MeasuredRound } from '../../../bench/result/result.ts';
import { simulateCell } from '../../../bench/simulate/cell.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { POLICIES } from '../../../lock/policies/index.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';
import { timelineSchema } from '../../../lock/timeline-schema.ts';
import { episodes, live } from '../../lock/recording-life.ts';
import { cell, measured, result, WORKLOAD } from '../result-builder.ts';
import { readTrace } from './chrome-trace.ts';

const profile = await loadProfile('this-machine');

async function simulated(policy: string, server: string): Promise<MeasuredRound> {
  const { round } = await simulateCell({
    ...{
      server,
      policy: await readPolicySpec(policy),
      scenario: 'loaded' as const,
      cpus: 2,
      spinners: 2,
      profile,
      seed: 3,
      round: 1,
    },
    workload: { ...WORKLOAD, messages: 30, budgetNs: 2e9, spinners: 2 },
    records: true,
  });
  if (round.state !== 'measured') throw new Error(round.message);
  return round;
}

const traceOf = (name: string, round: MeasuredRound) =>
  readTrace([...renderChromeTrace(result([cell(name, [round])]))].join(''));

describe.each(Object.keys(POLICIES))('recorded in simulated time, %s', (policy) => {
  it.each(['blocking', 'nonblocking', 'zeromq', 'native'])('%s is in one state at a time', async (server) => {
    const round = await simulated(policy, server);
    expect(timelineSchema.safeParse(round.timeline).error).toBe(undefined);
    const { threads, arrows } = traceOf(`${policy}/${server} loaded`, round);
    expect(threads.map(({ name }) => name)).toContain('client: round trips');
    expect(threads.some(({ name }) => name.startsWith('CPU thread 2'))).toBe(true);
    for (const { to } of arrows) expect(to.name).toMatch(/the lock/);
    for (const { from } of arrows) expect(from.name).toBe('runs');

    const runs = threads.flatMap(({ slices }) => slices.filter(({ name }) => name === 'runs'));
    runs.sort((a, b) => a.fromUs - b.fromUs);
    const overlaps = runs.filter(({ fromUs }, i) => fromUs < (runs[i - 1]?.untilUs ?? 0));
    if (policy === 'free-threaded') expect(overlaps).not.toEqual([]);
    else expect(overlaps).toEqual([]);
  });
});

it('an arrow leads from every steal to the wait it cost', async () => {
  const round = await simulated('py32', 'blocking');
  const stolen = round.timeline?.threads.flatMap(({ event }) => event.filter((word) => word === 7)).length ?? 0;
  const { arrows } = traceOf('py32/blocking loaded', round);
  expect(arrows.length).toBeGreaterThan(0.9 * stolen);
  expect(arrows.length).toBeLessThanOrEqual(stolen);
});

it('the states of a thread fill its time, whatever happened to it', () => {
  fc.assert(
    fc.property(episodes, fc.constantFrom(4_096, 32), (life, capacity) => {
      const { timeline } = live(life, capacity);
      const { threads } = traceOf('py32/blocking loaded', { ...measured(), timeline });
      const slices = threads.find(({ name }) => name.startsWith('server'))?.slices ?? [];
      for (const [i, { fromUs }] of slices.entries())
        expect(fromUs).toBeGreaterThanOrEqual(slices[i - 1]?.untilUs ?? 0);
      const awayNs = life.reduce((sum, { how, callNs }) => sum + (how === 'away' ? callNs : 0), 0);
      const shownNs = slices.reduce((sum, { fromUs, untilUs }) => sum + (untilUs - fromUs) * 1e3, 0);
      expect(shownNs).toBeGreaterThanOrEqual(timeline.untilNs - timeline.fromNs - 2 * awayNs - 1);
    }),
  );
});

it('a result without a timeline has an empty trace, which is one', () => {
  expect(traceOf('py32/blocking loaded', measured())).toEqual({ threads: [], arrows: [] });
});
