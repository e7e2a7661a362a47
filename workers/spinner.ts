/**
 * Thread body, run by piscina: the CPU thread. "Imagine it's computing something very important, like the 200th Fibonacci number
 * via recursion" (the talk).
 *
 * Three kinds, as ccbench has them: `fib`, whose short steps look for a drop request all the time; `native`, long calls that hold
 * the lock and cannot be interrupted, such as a regular expression's; `releasing`, long calls that give the lock up, such as a hash's.
 */
import { createHash } from 'node:crypto';
import { COUNTER, DOUBLES_PER_THREAD } from '../lock/counters.ts';
import type { GlobalLock } from '../lock/global-lock.ts';
import type { Interpreter } from '../lock/interpreter.ts';
import { enterThread } from '../lock/thread-setup.ts';
import { clockOriginNs } from '../net/clock.ts';
import type { SpinnerTask } from '../server/thread-messages.ts';

/** `fib(20)` is 22,000 calls, some 50 µs: how often the spinner looks whether it is told to end, and counts a round. */
export const FIB_OF_ROUND = 20;
const NATIVE_ROUND_NS = 50_000;
/** A call of 10 ms: two switch intervals. */
const NATIVE_ROUNDS_PER_CALL = 200;
/** Some 100 µs to hash. */
const HASHED = new Uint8Array(128 * 1024);
/** Work under the lock between two hashes. */
const BETWEEN_HASHES_NS = 10_000;

/** What a kind does until it may be told to end; calls `count` after each round of its work. */
type Work = (lock: GlobalLock, interpreter: Interpreter, count: () => void) => void;

const WORK: Readonly<Record<SpinnerTask['kind'], Work>> = {
  fib(_lock, interpreter, count) {
    interpreter.fib(FIB_OF_ROUND);
    count();
  },
  native(lock, interpreter, count) {
    for (let round = 0; round < NATIVE_ROUNDS_PER_CALL; round++) {
      interpreter.nativeWork(NATIVE_ROUND_NS);
      count();
    }
    lock.yieldPoint((NATIVE_ROUNDS_PER_CALL * NATIVE_ROUND_NS) / interpreter.tickNs);
  },
  releasing(lock, interpreter, count) {
    lock.around(() => createHash('sha256').update(HASHED).digest());
    interpreter.work(BETWEEN_HASHES_NS);
    count();
  },
};

/** Computes until told to stop, holding the lock except where the policy takes it away or the work gives it up. */
export default async function spin({ setup, kind, priority, stop }: SpinnerTask): Promise<void> {
  const { lock, interpreter } = await enterThread(setup, clockOriginNs);
  const told = new Int32Array(stop);
  const mine = new Float64Array(setup.state.counters, setup.thread * DOUBLES_PER_THREAD * 8, DOUBLES_PER_THREAD);
  const work = WORK[kind];
  const count = () => {
    (mine[COUNTER.rounds] as number)++;
  };
  lock.acquire();
  try {
    lock.setPriority(priority);
    while (Atomics.load(told, 0) === 0) work(lock, interpreter, count);
  } catch (error) {
    lock.releaseAfter(error);
    throw error;
  }
  lock.release();
}
