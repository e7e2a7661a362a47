import { expect, it } from 'vitest';
import { percentile, sortSamples } from '../../../bench/figures/statistics.ts';
import { withLibzmq, zmqSends } from '../../../bench/simulate/calibrate-libzmq.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';

it('a send through zeromq.js and its way are measured as it echoes: they take time, and more of it after a sleep', async () => {
  const { way, send } = await zmqSends(8_192);
  // The machine may be half as fast in one half of this as in the other: a way takes five times as long after a sleep, of sends the slowest.
  for (const [{ warmNs, extraNs }, percent] of [
    [way, 25],
    [send, 95],
  ] as const) {
    expect(warmNs).toBeGreaterThan(0);
    expect(extraNs.every((ns) => ns >= 0)).toBe(true);
    expect(percentile(sortSamples(extraNs), percent)).toBeGreaterThan(0);
  }
});

it('the event loop takes what a message through it is longer than one without, of as many as there are measured at once', async () => {
  const profile = await loadProfile('this-machine');
  const eventLoopNs = async (zeromqFactor: number) =>
    (await withLibzmq(profile, [{ nativeNs: [80_000], zeromqFactor }])).zeromq.eventLoopNs;
  const longerNs = (await eventLoopNs(2)) - (await eventLoopNs(1.75));
  expect(longerNs / 20_000).toBeGreaterThan(0.75);
  expect(longerNs / 20_000).toBeLessThan(1.25);
});
