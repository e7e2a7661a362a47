import { expect, it } from 'vitest';
import { percentile, sortSamples } from '../../../bench/figures/statistics.ts';
import { zmqSends } from '../../../bench/simulate/calibrate-libzmq.ts';

it('a send through zeromq.js and its way are measured without a peer: they take time, and mostly more of it after a sleep', async () => {
  const { way, send } = await zmqSends(8_192);
  for (const { warmNs, extraNs } of [way, send]) {
    expect(warmNs).toBeGreaterThan(0);
    expect(extraNs.every((ns) => ns >= 0)).toBe(true);
    expect(percentile(sortSamples(extraNs), 25)).toBeGreaterThan(0);
  }
});
