/**
 * The machine that runs policies on real threads: memory is an `Int32Array` on a SharedArrayBuffer, a step is the `Atomics` or futex
 * operation, done at the moment it is yielded.
 */
import { LockLost } from '../lost-lock.ts';
import type { Memory, Step, Steps, Word } from '../memory.ts';
import { Futexes } from './futex.ts';

/** One thread's view of the shared words. */
export class ThreadMemory implements Memory {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #futexes: Futexes;
  readonly #lost: Int32Array<SharedArrayBuffer> | null;

  /**
   * When the thread first went to sleep since the owner last set this to 0, by `performance.now()` in milliseconds. The clock is
   * read here, not around every acquire, so that an acquire that never sleeps costs no clock.
   */
  sleptAtMs = 0;

  /** @param lost of the lock, where there is one that can be lost: not 0 when it is */
  constructor(words: Int32Array<SharedArrayBuffer>, lost: Int32Array<SharedArrayBuffer> | null = null) {
    this.#words = words;
    this.#futexes = new Futexes(words);
    this.#lost = lost;
  }

  load(word: Word): Step {
    return Atomics.load(this.#words, word);
  }

  store(word: Word, value: number): Step {
    return Atomics.store(this.#words, word, value);
  }

  exchange(word: Word, value: number): Step {
    return Atomics.exchange(this.#words, word, value);
  }

  compareExchange(word: Word, expected: number, value: number): Step {
    return Atomics.compareExchange(this.#words, word, expected, value);
  }

  add(word: Word, amount: number): Step {
    return Atomics.add(this.#words, word, amount);
  }

  wait(word: Word, expected: number, timeoutNs: number): Step {
    if (this.sleptAtMs === 0) this.sleptAtMs = performance.now();
    this.#expectLock();
    const outcome = this.#futexes.wait(word, expected, timeoutNs);
    this.#expectLock();
    return outcome;
  }

  notify(word: Word, count: number): Step {
    return this.#futexes.wake(word, count);
  }

  #expectLock(): void {
    if (this.#lost !== null && Atomics.load(this.#lost, 0) !== 0) throw new LockLost('the lock is lost');
  }
}

/**
 * Runs a piece of a policy to its end.
 *
 * @returns what the generator returns
 * @throws LockLost if it throws, wherever it was: nobody knows what it has done of what it was about to do
 */
export function runSteps<Result>(steps: Steps<Result>): Result {
  try {
    let step = steps.next();
    while (step.done !== true) step = steps.next(step.value);
    return step.value;
  } catch (error) {
    if (error instanceof LockLost) throw error;
    throw new LockLost(`the policy throws: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
