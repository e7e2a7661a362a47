/**
 * The machine that runs policies on real threads: memory is an `Int32Array` on a SharedArrayBuffer, a step is the `Atomics` or futex
 * operation, done at the moment it is yielded.
 */
import { LockLost } from '../lost-lock.ts';
import type { Memory, Step, Steps, Word } from '../memory.ts';
import type { Recorder } from '../recorder.ts';
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

/** The same of a thread that is recorded: tells when it sleeps. Under a policy without requests every other step costs what it did. */
export class RecordedThreadMemory extends ThreadMemory {
  readonly #recorder: Recorder;

  constructor(words: Int32Array<SharedArrayBuffer>, lost: Int32Array<SharedArrayBuffer>, recorder: Recorder) {
    super(words, lost);
    this.#recorder = recorder;
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
}

/** And when it asks the holder to give the lock up. */
export class RequestingThreadMemory extends RecordedThreadMemory {
  readonly #recorder: Recorder;
  readonly #breaker: Word;

  /** @param breaker the word that the holder looks at on its yield points */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    lost: Int32Array<SharedArrayBuffer>,
    recorder: Recorder,
    breaker: Word,
  ) {
    super(words, lost, recorder);
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

  #wrote(word: Word, value: number, result: Step): Step {
    if (word === this.#breaker && value !== 0) this.#recorder.requests();
    return result;
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
