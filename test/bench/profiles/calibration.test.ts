import { expect, it } from 'vitest';
import {
  callCosts,
  fittedCostNs,
  heldAfterWaitNs,
  lowestOrNull,
  medianOrNull,
  tickNs,
  ticksPerLeaf,
} from '../../../bench/profiles/calibration.ts';

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

it('finds the ticks of a thread that yields by itself, and none of one that is asked', () => {
  // Alone it takes 50 µs a round, and yields 25 times in each: every 2 µs, which is 100 ticks.
  expect(tickNs(25_000, 1_000, 20_000, 100)).toBe(20);
  expect(tickNs(3, 1_000, 20_000, 100)).toBeNull();
  expect(tickNs(25_000, 1_000, null, 100)).toBeNull();
});

it('counts the ticks in a leaf of the same round, however slow the machine was in that', () => {
  const leavesNs = [
    [1, null],
    [1, 400],
    [2, 800],
    [3, 400],
  ] as const;
  expect(
    ticksPerLeaf(
      [
        [1, 16],
        [2, 32],
        [3, 40],
      ],
      leavesNs,
    ),
  ).toBe(25);
  expect(ticksPerLeaf([[2, 32]], leavesNs)).toBe(25);
  expect(
    ticksPerLeaf(
      [
        [1, null],
        [4, 16],
      ],
      leavesNs,
    ),
  ).toBeNull();
});

it('takes the time a lock is held from the calls that had to wait for it alone', () => {
  const call = (releasedNs: number, returnedNs: number, acquiredNs: number) => [releasedNs, returnedNs, acquiredNs];
  const log = [
    call(0, 10, 10),
    call(17, 20, 5_020),
    call(5_060, 5_070, 10_070),
    call(10_112, 10_120, 15_120),
    call(15_161, 15_170, 15_170),
    call(20_000, 20_001, 20_001),
  ];
  expect(heldAfterWaitNs(log.flat())).toBe(41);
  expect(heldAfterWaitNs(call(0, 10, 5_010))).toBeNull();
});

const tried = (...pairs: [number, number][]) => pairs.map(([costNs, heldNs]) => ({ costNs, heldNs }));

it('finds the value at which an emulation comes out as the original', () => {
  expect(fittedCostNs(tried([0, 38_000], [5_000, 43_000], [10_000, 48_000]), 45_000)).toBe(7_000);
});

it('does not leave the range that was tried', () => {
  const values = tried([10, 20_000], [8_000, 28_000]);
  expect(fittedCostNs(values, 90_000)).toBe(8_000);
  expect(fittedCostNs(values, 1_000)).toBe(10);
});

it('takes the least where more of it does not come out larger', () => {
  expect(fittedCostNs(tried([5, 20_000], [2_000, 20_000]), 21_000)).toBe(5);
  expect(fittedCostNs(tried([0, 20_000], [2_000, 10_000]), 15_000)).toBe(0);
});

it('has no number of nothing', () => {
  expect(medianOrNull([null, null])).toBeNull();
  expect(lowestOrNull([null])).toBeNull();
  expect(lowestOrNull([3, null, 1, 2])).toBe(1);
  expect(medianOrNull([3, null, 1, 2])).toBe(2);
});
