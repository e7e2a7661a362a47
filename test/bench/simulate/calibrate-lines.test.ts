import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import type * as Lines from '../../../bench/simulate/calibrate-lines.ts';
import { lineNsOf } from '../../../bench/simulate/calibrate-lines.ts';
import { WORD } from '../../../bench/simulate/calibrate-messages.ts';
import type * as Places from '../../../bench/simulate/calibrate-places.ts';
import { median } from '../../../bench/simulate/calibrate-samples.ts';
import { compiled } from '../../compiled.ts';

// Compiled: they start a thread.
const { fetches }: typeof Lines = await import(compiled('bench/simulate/calibrate-lines.js').href);
const { apart, untilSeen, withPartners }: typeof Places = await import(
  compiled('bench/simulate/calibrate-places.js').href
);

it('another thread takes a cache line once each turn, before it says that it has seen the turn', async () => {
  const places = apart(1);
  const taken = await withPartners(places, [{ kind: 'toucher' }], (words) =>
    [1, 2, 3].map((turn) => {
      Atomics.store(words, WORD.turn, turn);
      untilSeen(words, turn, places);
      return Atomics.load(words, WORD.touched);
    }),
  );
  expect(taken).toEqual([1, 2, 3]);
});

it.skipIf(availableParallelism() === 1)(
  'a step that finds its cache line on another CPU does not take less time',
  async () => {
    const { there, here } = await fetches(apart(1));
    expect(there).toHaveLength(here.length);
    // More, but for the moments in which a hypervisor has both CPUs on one core: they differ by a fiftieth then.
    expect(median(there)).toBeGreaterThan(0.8 * median(here));
  },
);

it('a cache line costs what the step takes more, in the median of all rounds, and never less than nothing', () => {
  const near = { there: [130, 900], here: [60] };
  expect(lineNsOf([near, { there: [140], here: [70, 80] }])).toBe(140 - 70);
  expect(lineNsOf([{ there: [103], here: [105] }])).toBe(0);
});
