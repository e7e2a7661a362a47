/** How soon a CPU thread lets the lock go when it is asked to, measured. */
import { Worker } from 'node:worker_threads';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import { layOut } from '../../lock/memory.ts';
import priority from '../../lock/policies/priority.ts';
import { type SpinnerTask, WORD } from './calibrate-messages.ts';
import { median, timed } from './calibrate-samples.ts';
import { COLD_MS } from './calibrate-waking.ts';

const PARTNER = new URL('./calibrate-partner.js', import.meta.url);
const REQUESTS = 1_000;
/** For a CPU thread that has got the lock back to be at work again. */
const AT_WORK_MS = 0.1;
/** Of priority's LOCK, the part that says whether it is held. */
const HELD = 3;
/** For the CPU thread to do anything at all. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * From the moment a request is written until the lock is free, of a CPU thread that was asked just before, and of one that was not for a while. Who
 * asks looks without a break: asleep, it would need to be woken, and that is measured by itself.
 */
export async function responses(leafNs: number): Promise<{ warmNs: number; coldNs: number }> {
  const state = createLockState(priority);
  const words = new Int32Array(new SharedArrayBuffer(512));
  const workerData: SpinnerTask = { kind: 'spinner', words: words.buffer, state, leafNs };
  const worker = new Worker(PARTNER, { workerData });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const lock = new GlobalLock(priority, { interval: 5_000_000 }, state, 1);
  const futexes = new Futexes(words);
  const policyWords = new Int32Array(state.words);
  const { LOCK, DROP_REQUEST } = layOut(priority.words) as Record<'LOCK' | 'DROP_REQUEST', number>;
  const isFree = () => (Atomics.load(policyWords, LOCK) & HELD) === 0;
  const until = (condition: () => boolean, forMs: number) => {
    const deadlineMs = performance.now() + forMs;
    while (!condition()) if (performance.now() > deadlineMs) return false;
    return true;
  };
  const request = () => {
    const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
    do {
      if (performance.now() > deadlineMs) throw new Error('the CPU thread does not answer');
      // Again after a while: a thread that has just taken the lock, and lost its CPU then, clears what was asked meanwhile.
      Atomics.store(policyWords, DROP_REQUEST, 1);
    } while (!until(isFree, AT_WORK_MS));
  };
  const after = (pause: () => void) => {
    const took = Array.from({ length: REQUESTS }, () => {
      // First, and the pause after it: a thread that takes the lock clears what was asked before.
      until(() => !isFree(), ANSWER_TIMEOUT_MS);
      pause();
      const [ns] = timed(1, request);
      lock.acquire();
      lock.release();
      return ns as number;
    });
    return median(took.slice(REQUESTS / 2));
  };
  const atWork = () => {
    const endMs = performance.now() + AT_WORK_MS;
    while (performance.now() < endMs);
  };
  try {
    return { warmNs: after(atWork), coldNs: after(() => void futexes.wait(WORD.turn, 0, COLD_MS * 1e6)) };
  } finally {
    Atomics.store(words, WORD.end, 1);
    await exited;
  }
}
