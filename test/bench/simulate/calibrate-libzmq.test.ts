import { expect, it } from 'vitest';
import { percentile, sortSamples } from '../../../bench/figures/statistics.ts';
import { zmqWays } from '../../../bench/simulate/calibrate-libzmq.ts';

it('the way of a send through zeromq.js is measured without a peer: it takes time, and mostly more of it after a sleep', async () => {
  const { warmNs, extraNs } = await zmqWays();
  expect(warmNs).toBeGreaterThan(0);
  expect(extraNs.every((ns) => ns >= 0)).toBe(true);
  expect(percentile(sortSamples(extraNs), 25)).toBeGreaterThan(0);
});
