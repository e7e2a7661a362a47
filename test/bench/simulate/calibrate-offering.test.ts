import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { percentile, sortSamples } from '../../../bench/figures/statistics.ts';
import type * as Offering from '../../../bench/simulate/calibrate-offering.ts';
import { PAUSE_MS } from '../../../bench/simulate/calibrate-offering.ts';
import type * as Places from '../../../bench/simulate/calibrate-places.ts';
import { median } from '../../../bench/simulate/calibrate-samples.ts';
import { compiled } from '../../compiled.ts';

// Compiled: they start threads.
const { offeredWaits }: typeof Offering = await import(compiled('bench/simulate/calibrate-offering.js').href);
const { apart, TOGETHER }: typeof Places = await import(compiled('bench/simulate/calibrate-places.js').href);

const LEAF_NS = 300;
const MESSAGE_BYTES = 4 + 8192;

it('each offer that wakes a thread is paired with when that thread was back: after the offer began, and before the next message', async () => {
  const { wakeUps } = await offeredWaits(apart(1), 500, LEAF_NS, MESSAGE_BYTES);
  expect(wakeUps).toHaveLength(450);
  expect(wakeUps.every(({ slept, callNs, latencyNs }) => slept && callNs > 0 && latencyNs > 0)).toBe(true);
  // One in four or so is the last for its message. Paired with the return of the one after it, it would have a pause in it.
  const latencies = sortSamples(wakeUps.map(({ latencyNs }) => latencyNs));
  expect(percentile(latencies, 90)).toBeLessThan(PAUSE_MS * 1e6);
});

it.skipIf(availableParallelism() === 1)(
  'a wait that finds the lock free is back sooner than one that sleeps and is woken',
  async () => {
    const { wakeUps, returns, vain } = await offeredWaits(apart(1), 500, LEAF_NS, MESSAGE_BYTES);
    expect(returns.length).toBeGreaterThan(0);
    // Most offers find nobody on his way to sleep.
    expect(vain.length).toBeGreaterThan(returns.length);
    expect(median(returns.map(({ tookNs }) => tookNs))).toBeLessThan(median(wakeUps.map(({ latencyNs }) => latencyNs)));
  },
);

it('ends on one CPU, too', async () => {
  const { wakeUps } = await offeredWaits(TOGETHER, 20, LEAF_NS, MESSAGE_BYTES);
  expect(wakeUps).toHaveLength(18);
});
