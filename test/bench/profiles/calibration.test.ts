import { expect, it } from 'vitest';
import {
  type Alone,
  callCosts,
  fittedCostNs,
  heldAfterWaitNs,
  lowestOrNull,
  medianOrNull,
  ticksOf,
} from '../../../bench/profiles/calibration.ts';
import { leavesOf } from '../../../lock/interpreter.ts';
import { FIB_OF_ROUND } from '../../../workers/spinner.ts';

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

/** CPU threads in two turns. Alone theirs take 50 µs a round, and yield 25 times in each: every 2 µs, which is 100 ticks. */
function turns(yields: number, ...roundsPerSecond: number[]): Alone[] {
  return roundsPerSecond.map((each) => ({ roundsPerSecond: [each / 2, each], rounds: 1_000, yields }));
}

it('counts the ticks in a leaf by the fastest moment of either, however slow the machine was in others', () => {
  const leafNs = 500;
  const ours = 1e9 / (leafNs * leavesOf(FIB_OF_ROUND));
  expect(ticksOf(turns(25_000, 20_000, 9_000), turns(0, ours / 2, ours))).toEqual({ tickNs: 20, ticksPerLeaf: 25 });
});

it('finds no ticks of a thread that yields when it is asked', () => {
  expect(ticksOf(turns(3, 20_000), turns(0, 9_000))).toBeNull();
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
