import { describe, expect, it } from 'vitest';
import { byKey, median, quantilesOf, timed } from '../../../bench/simulate/calibrate-samples.ts';
import { valueAt } from '../../../bench/simulate/random.ts';

/** Of a thousand, ten are long, and one of them a thousand times as long as the others. */
const gaps = Array.from({ length: 1_000 }, (_, i) => (i < 990 ? 1_000 : i < 999 ? 50_000 : 50_000_000));

describe('the quantiles of samples', () => {
  it('keep the tail: a long one is not drawn on a line up to the longest', () => {
    const quantiles = new Map(quantilesOf(gaps, 0));
    expect(quantiles.get(0.995)).toBe(50_000);
    expect(quantiles.get(0.998)).toBe(50_000);
    expect(quantiles.get(1)).toBe(50_000_000);
  });

  it('are whole nanoseconds', () => {
    for (const [, ns] of quantilesOf([0.25, 0.5, 1.75, 2.5])) expect(Number.isInteger(ns)).toBe(true);
  });

  it('keep how often a thread runs before its waker is back: 3 times in 1,000 is no more and no less', () => {
    const leads = Array.from({ length: 1_000 }, (_, i) => (i < 3 ? -10_000 : 5_000));
    const quantiles = quantilesOf(leads, 0);
    const shares = Array.from({ length: 20_000 }, (_, i) => i / 20_000);
    const before = shares.filter((share) => valueAt(quantiles, share) < 0).length / shares.length;
    expect(before).toBeGreaterThan(0.002);
    expect(before).toBeLessThan(0.0035);
  });

  it('leave the rare ones out unless told otherwise', () => {
    const quantiles = quantilesOf(gaps);
    expect(quantiles.at(0)).toEqual([0, 1_000]);
    expect(quantiles.at(-1)?.[0]).toBe(1);
    expect(quantiles.at(-1)?.[1]).toBeLessThanOrEqual(50_000);
  });
});

it('nothing takes no time: the looks at the clock do not count', () => {
  const looks = Array.from({ length: 10_000 }, () => {
    const startMs = performance.now();
    return (performance.now() - startMs) * 1e6;
  });
  expect(median(timed(10_000, () => {}))).toBeLessThan(median(looks) / 2);
});

it('samples of several rounds are put together, each key by itself', () => {
  const rounds = [
    { send: 3, recv: 1 },
    { send: 5, recv: 1 },
    { send: 4, recv: 9 },
  ];
  expect(byKey(rounds, median)).toEqual({ send: 4, recv: 1 });
});
