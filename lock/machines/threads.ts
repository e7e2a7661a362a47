/**
 * The machine that runs policies on real threads: memory is an `Int32Array` on a SharedArrayBuffer, a step is the `Atomics` or futex
 * operation, done at the moment it is yielded.
 */
import type { Memory, Step, Steps, Word } from '../memory.ts';
import type { Recorder } from '../recorder.ts';
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

/** The same of a thread that is recorded: tells when it sleeps, and when it asks the holder to give the lock up. */
export class RecordedThreadMemory extends ThreadMemory {
  readonly #recorder: Recorder;
  readonly #breaker: Word;

  /** @param breaker the word that the holder looks at on its yield points; -1 if there is none */
  constructor(words: Int32Array<SharedArrayBuffer>, recorder: Recorder, breaker: Word) {
    super(words);
    this.#recorder = recorder;
    this.#breaker = breaker;
  }

  override store(word: Word, value: number): Step {
    return this.#wrote(word, value, super.store(word, value));
  }

  override exchange(word: Word, value: number): Step {
    return this.#wrote(word, value, super.exchange(word, value));
  }

  override compareExchange(word: Word, expected: number, value: number): Step {
    const before = super.compareExchange(word, expected, value);
    return before === expected ? this.#wrote(word, value, before) : before;
  }

  override add(word: Word, amount: number): Step {
    const before = super.add(word, amount);
    return this.#wrote(word, before + amount, before);
  }

  override wait(word: Word, expected: number, timeoutNs: number): Step {
    // One look at the clock for both.
    const nowMs = performance.now();
    if (this.sleptAtMs === 0) this.sleptAtMs = nowMs;
    this.#recorder.sleeps(nowMs * 1e6);
    const outcome = super.wait(word, expected, timeoutNs);
    this.#recorder.wakes();
    return outcome;
  }

  #wrote(word: Word, value: number, result: Step): Step {
    if (word === this.#breaker && value !== 0) this.#recorder.requests();
    return result;
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
