import { expect, it } from 'vitest';
import { callCosts, checkPeriodNs, fitCost, lowestOrNull, medianOrNull } from '../../../bench/profiles/calibration.ts';

/** Calls of a server that blocks in the first of three, with one message that the operating system disturbed. */
function calls(messages: number, workNs: number, callNs: number): number[] {
  const times: number[] = [];
  let now = 0;
  for (let message = 0; message < messages; message++) {
    for (const outNs of [1e6, callNs, callNs]) {
      const returned = now + outNs;
      times.push(now, returned, returned + 50);
      now = returned + 50 + workNs + (message === 2 ? 5e6 : 0);
    }
  }
  return times;
}

it('takes work from the acquire to the next release, and calls without the one that blocks', () => {
  expect(callCosts(calls(20, 700, 2_000), 3)).toEqual({ workPerCallNs: 700, callNs: 2_000 });
});

it('does not depend on where in a message the log begins', () => {
  const later = calls(20, 700, 2_000).slice(3);
  expect(callCosts(later, 3)).toEqual({ workPerCallNs: 700, callNs: 2_000 });
});

it('refuses to say anything of too few calls', () => {
  expect(() => callCosts(calls(1, 700, 2_000), 3)).toThrow(/too few calls/);
});

it('finds the period of a thread that yields by itself, and none of one that is asked', () => {
  // 1,000 rounds of 50 µs each, 25 yields in each: every 2 µs.
  expect(checkPeriodNs(25_000, 1_000, 50e6)).toBe(2_000);
  expect(checkPeriodNs(3, 1_000, 50e6)).toBeNull();
});

const tried = (...pairs: [number, number][]) =>
  pairs.map(([interpreterCostNs, excessNs]) => ({ interpreterCostNs, excessNs }));

it('finds the cost at which the excess is that of the original', () => {
  expect(fitCost(tried([4_000, 8e6], [8_000, 6e6], [12_000, 4e6]), 5e6)).toBe(10_000);
});

it('does not leave the range of costs that were tried', () => {
  const costs = tried([0, 8e6], [8_000, 6e6]);
  expect(fitCost(costs, 20e6)).toBe(0);
  expect(fitCost(costs, 1e6)).toBe(8_000);
});

it('takes none where the cost makes no difference, or more of it makes the excess larger', () => {
  expect(fitCost(tried([0, 1e5], [2_000, 1e5]), 9e4)).toBe(0);
  expect(fitCost(tried([0, 1e5], [2_000, 2e5]), 15e4)).toBe(0);
});

it('has no number of nothing', () => {
  expect(medianOrNull([null, null])).toBeNull();
  expect(lowestOrNull([null])).toBeNull();
  expect(lowestOrNull([3, null, 1, 2])).toBe(1);
  expect(medianOrNull([3, null, 1, 2])).toBe(2);
});
