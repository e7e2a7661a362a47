/** How a thread of a server goes from call to call, by a clock of the test's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, TICK_NS } from '../../lock/interpreter.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import py32 from '../../lock/policies/py32.ts';
import type { Policy } from '../../lock/policy.ts';
import { goTheWay } from '../../net/posix.ts';
import { type ServerTask, toolkit } from '../../server/calls.ts';
import { COLD_AFTER_MS, drive } from '../../server/driver.ts';

vi.mock('../../net/posix.ts', async (original) => ({ ...(await original()), goTheWay: vi.fn() }));

let nowMs: number;
beforeEach(() => {
  nowMs = 1;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => vi.restoreAllMocks());

class ClockedInterpreter extends Interpreter {
  override nativeWork(ticks: number): void {
    nowMs += (ticks * TICK_NS) / 1e6;
  }
}

/** Makes calls of these lengths, and says how often the way of a call had been gone when each was over. */
function waysGone(policy: Policy, callsMs: readonly number[]): number[] {
  const gone = vi.mocked(goTheWay);
  gone.mockClear();
  const ways: number[] = [];
  function* task(): ServerTask {
    for (const ms of callsMs) {
      yield* toolkit(ms * 1e6);
      ways.push(gone.mock.calls.length);
    }
  }
  const lock = new GlobalLock(policy, { interval: 5e6 }, createLockState(policy), 1);
  drive(task(), {
    lock,
    interpreter: new ClockedInterpreter(lock, 200),
    ticksPerCall: 0,
    keepsLockOnNonblocking: false,
    log: null,
    startThread: () => {},
    noteConnectionError: () => {},
  });
  return ways;
}

it('goes the way of a call once more before the first call and after one in which it slept, and after no other', () => {
  const shortMs = COLD_AFTER_MS / 2;
  const longMs = COLD_AFTER_MS * 2;
  expect(waysGone(py32, [shortMs, shortMs, longMs, shortMs, shortMs])).toEqual([1, 1, 1, 2, 2]);
});

it('does not where many hold the lock, and nothing depends on how long a call takes', () => {
  expect(waysGone(freeThreaded, [COLD_AFTER_MS * 2, COLD_AFTER_MS * 2])).toEqual([0, 0]);
});
