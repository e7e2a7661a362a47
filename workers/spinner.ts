/**
 * Thread body, run by piscina: the CPU thread. "Imagine it's computing something very important, like the 200th Fibonacci number
 * via recursion" (the talk).
 */
import { COUNTER, DOUBLES_PER_THREAD } from '../lock/counters.ts';
import { enterThread } from '../lock/thread-setup.ts';
import type { SpinnerTask } from '../server/thread-messages.ts';

/** `fib(20)` is 22,000 calls, some 50 µs: how often the spinner looks whether it is told to end, and writes down its ticks. */
const ROUND = 20;

/** Computes until told to stop, holding the lock except where the policy takes it away. */
export default async function spin({ setup, priority, stop }: SpinnerTask): Promise<void> {
  const { lock, interpreter } = await enterThread(setup);
  const told = new Int32Array(stop);
  const mine = new Float64Array(setup.state.counters, setup.thread * DOUBLES_PER_THREAD * 8, DOUBLES_PER_THREAD);
  const ticksPerRound = interpreter.ticksOf(ROUND);
  lock.acquire();
  lock.setPriority(priority);
  while (Atomics.load(told, 0) === 0) {
    interpreter.fib(ROUND);
    (mine[COUNTER.ticks] as number) += ticksPerRound;
  }
  lock.release();
}
