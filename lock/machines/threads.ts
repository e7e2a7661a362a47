/**
 * The machine that runs policies on real threads: memory is an `Int32Array` on a SharedArrayBuffer, a step is the `Atomics` or futex
 * operation, done at the moment it is yielded.
 */
import type { Memory, Step, Steps, Word } from '../memory.ts';
import { Futexes } from './futex.ts';

/** One thread's view of the shared words. */
export class ThreadMemory implements Memory {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #futexes: Futexes;

  /**
   * When the thread first went to sleep since the owner last set this to 0, by `performance.now()` in milliseconds. The clock is
   * read here, not around every acquire, so that an acquire that never sleeps costs no clock.
   */
  sleptAtMs = 0;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
    this.#futexes = new Futexes(words);
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
    return this.#futexes.wait(word, expected, timeoutNs);
  }

  notify(word: Word, count: number): Step {
    return this.#futexes.wake(word, count);
  }
}

/**
 * Runs a piece of a policy to its end.
 *
 * @returns what the generator returns
 */
export function runSteps<Result>(steps: Steps<Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value);
  return step.value;
}
