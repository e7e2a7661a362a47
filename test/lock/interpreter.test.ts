import { expect, it } from 'vitest';
import { readCounts } from '../../lock/counters.ts';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, serverTickNs, spinnerTickNs, TICK_NS } from '../../lock/interpreter.ts';
import py27 from '../../lock/policies/py27.ts';

const LEAF_NS = 250;
const WORK_NS = 1_000;
const CHECK = 100;
const PIECES = 1_000;

/** How many ticks the work counted for, by how often the lock was offered. */
function ticksCounted(tickNs: number): number {
  const state = createLockState(py27);
  const lock = new GlobalLock(py27, { check: CHECK }, state, 1);
  const interpreter = new Interpreter(lock, LEAF_NS, tickNs);
  lock.acquire();
  for (let piece = 0; piece < PIECES; piece++) interpreter.work(WORK_NS);
  lock.release();
  return readCounts(new Float64Array(state.counters), 1).yields * CHECK;
}

/** Whether that is what was counted, to the offer that was last or would have been next. */
function expectAbout(counted: number, ticks: number): void {
  expect(counted).toBeLessThanOrEqual(ticks + CHECK);
  expect(counted).toBeGreaterThanOrEqual(ticks - CHECK);
}

it('counts work in ticks of a CPU thread', () => {
  expect(spinnerTickNs({}, LEAF_NS)).toBe(TICK_NS);
  expectAbout(ticksCounted(serverTickNs({ tickNs: 50 }, WORK_NS, LEAF_NS)), (PIECES * WORK_NS) / 50);
});

it('counts a leaf for as many ticks as are said, however long it takes, unless the length of a tick is written', () => {
  expect(spinnerTickNs({ ticksPerLeaf: 10 }, 250)).toBe(25);
  expect(spinnerTickNs({ ticksPerLeaf: 10 }, 500)).toBe(50);
  expect(spinnerTickNs({ ticksPerLeaf: 10, tickNs: 40 }, 250)).toBe(40);
});

it('counts the work before a call for the ticks of a call, however long a CPU thread would take for them', () => {
  expectAbout(ticksCounted(serverTickNs({ tickNs: 50, ticksPerCall: 4 }, WORK_NS, LEAF_NS)), PIECES * 4);
});
