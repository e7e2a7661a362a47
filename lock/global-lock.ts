/**
 * The global lock as a thread holds it in its hand: acquire, release, around a call, yield point, set priority, and what it
 * counts. The policy decides; this file only runs it and keeps the books.
 */
import { BOOKS_DOUBLES, type BookBuffers, Books } from './books.ts';
import { DOUBLES_PER_THREAD } from './counters.ts';
import { LockLost } from './lost-lock.ts';
import { RecordedThreadMemory, RequestingThreadMemory, runSteps, ThreadMemory } from './machines/threads.ts';
import { INTS_PER_WORD, layOut, type Steps } from './memory.ts';
import type { Policy, Rules } from './policy.ts';
import type { Recorder } from './recorder.ts';

/** The most threads that can share one lock: numbers 1 to this. */
export const MAX_THREADS = 1023;

/** The shared memory of one lock, as it is sent from thread to thread. Byte layouts: see {@link createLockState}. */
export interface LockState extends BookBuffers {
  /** The policy's words, each {@link INTS_PER_WORD} apart. */
  readonly words: SharedArrayBuffer;
  /** Not 0 when the lock is lost: `lost-lock.ts`. */
  readonly lost: SharedArrayBuffer;
}

/**
 * Makes the shared memory of a lock that nobody holds.
 *
 * | buffer | layout |
 * | --- | --- |
 * | words | `Int32Array`: the policy's words, word i at index i × 32 |
 * | lost | `Int32Array` of one |
 * | books | `Float64Array`: last owner at 0, ticks left (kind `ticks`) at 16 |
 * | counters | `Float64Array`: thread t's slice from index t × 48: `COUNTERS` in their order, the wait histogram at its end |
 * | spinners | `Uint8Array`: 1 at the number of each CPU thread |
 */
export function createLockState(policy: Policy): LockState {
  const words = Math.max(1, Object.keys(policy.words).length);
  return {
    words: new SharedArrayBuffer(words * INTS_PER_WORD * Int32Array.BYTES_PER_ELEMENT),
    lost: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    books: new SharedArrayBuffer(BOOKS_DOUBLES * Float64Array.BYTES_PER_ELEMENT),
    counters: new SharedArrayBuffer((MAX_THREADS + 1) * DOUBLES_PER_THREAD * Float64Array.BYTES_PER_ELEMENT),
    spinners: new SharedArrayBuffer(MAX_THREADS + 1),
  };
}

/** One thread's handle on the lock. Not to be shared: each thread makes its own from the same {@link LockState}. */
export class GlobalLock {
  /** Whether one thread at a time holds it: of the policy. */
  readonly exclusive: boolean;
  readonly #rules: Rules;
  readonly #memory: ThreadMemory;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #books: Books;
  readonly #me: number;
  readonly #recorder: Recorder | null;
  /** Index of the word that asks for a yield, or -1. */
  readonly #breaker: number;
  /** Ticks between two yields, or 0. */
  readonly #everyTicks: number;
  /** The way back to the lock, of a thread that is in a call. */
  #back: Steps | null = null;

  /**
   * @param policy the policy every thread of this lock uses
   * @param options values of the policy's options, all of them
   * @param state the lock's shared memory
   * @param me this thread's number, 1 to {@link MAX_THREADS}, no other thread's
   * @param recorder is told what this thread does; its clock is `performance.now()`, in nanoseconds
   * @throws RangeError if `me` is no such number
   */
  constructor(
    policy: Policy,
    options: Readonly<Record<string, number>>,
    state: LockState,
    me: number,
    recorder: Recorder | null = null,
  ) {
    if (!Number.isInteger(me) || me < 1 || me > MAX_THREADS) {
      throw new RangeError(`a thread's number is 1 to ${MAX_THREADS}, not ${me}`);
    }
    this.exclusive = policy.exclusive;
    this.#rules = policy.rules(layOut(policy.words), options);
    this.#words = new Int32Array(state.words);
    this.#books = new Books(state, policy.exclusive, me);
    this.#me = me;
    const { yieldPoint } = this.#rules;
    this.#breaker = yieldPoint.kind === 'requested' ? yieldPoint.word : -1;
    this.#everyTicks = yieldPoint.kind === 'ticks' ? yieldPoint.every : 0;
    this.#recorder = recorder;
    const lost = new Int32Array(state.lost);
    if (recorder === null) this.#memory = new ThreadMemory(this.#words, lost);
    else if (this.#breaker < 0) this.#memory = new RecordedThreadMemory(this.#words, lost, recorder);
    else this.#memory = new RequestingThreadMemory(this.#words, lost, recorder, this.#breaker);
  }

  /** Returns when this thread holds the lock. */
  acquire(): void {
    this.#recorder?.wants();
    this.#acquire(this.#stepsToAcquire());
  }

  /** Gives the lock up, for long. The caller holds it. */
  release(): void {
    this.#recorder?.leaves();
    this.#release();
  }

  /** {@link release} because of an error, unless that was that there is no lock any more. */
  releaseAfter(error: unknown): void {
    if (!(error instanceof LockLost)) this.release();
  }

  /**
   * Gives the lock up for the time of a call, as an interpreter does around a system call, and counts the transition.
   *
   * @param call what is done without the lock
   * @returns what the call returns; what it throws is thrown with the lock held again
   */
  around<Result>(call: () => Result): Result {
    this.leave(0, performance.now());
    try {
      return call();
    } finally {
      this.comeBack();
    }
  }

  /**
   * The first half of {@link around}, for callers that cannot say it with a closure: gives the lock up for the time of a call.
   *
   * @param call which, as a number that the reader of a recording knows; 0 if there is nothing to know
   * @param nowMs by `performance.now()`
   */
  leave(call: number, nowMs: number): void {
    this.#recorder?.calls(call, nowMs * 1e6);
    // Made before the lock is free, and the clock is read when it is held again: what stands between its release and the attempt to have it
    // back is time in which another thread has it, and an interpreter in C has nothing there but the call.
    this.#back = this.#stepsToAcquire();
    this.#release();
  }

  /**
   * The second half: acquires and counts the transition.
   *
   * @returns when the thread had the lock, by `performance.now()`
   */
  comeBack(): number {
    this.#recorder?.wants(Number.NaN);
    const steps = this.#back ?? this.#stepsToAcquire();
    this.#back = null;
    return this.#acquire(steps, true);
  }

  /** When this thread went to sleep for the lock it has, by `performance.now()`; 0 if it had it at once. */
  get sleptAtMs(): number {
    return this.#memory.sleptAtMs;
  }

  /**
   * Looks whether the lock must be offered, and offers it. Called by the holder every few ticks of its work.
   *
   * @param ticks the work done since the last look
   */
  yieldPoint(ticks: number): void {
    if (this.#breaker >= 0) {
      if (Atomics.load(this.#words, this.#breaker) === 0) return;
    } else if (this.#everyTicks > 0) {
      if (!this.#books.spend(ticks, this.#everyTicks)) return;
    } else {
      return;
    }
    this.#yield();
  }

  /**
   * Sets this thread's priority: higher runs first, 0 at birth. A policy without priorities ignores it, as Python 3.2 would.
   *
   * @returns whether the policy knows priorities
   */
  setPriority(priority: number): boolean {
    if (this.#rules.setPriority === undefined) return false;
    runSteps(this.#rules.setPriority(this.#memory, this.#me, priority));
    return true;
  }

  #yield(): void {
    this.#books.offered(1);
    // Whoever counts ticks offers every few microseconds, and would feel a look at the clock each time.
    this.#recorder?.offers(this.#breaker >= 0);
    // Before the lock is free, as in `leave`: under py27 whoever looks meanwhile has it.
    const steps = this.#stepsToAcquire();
    this.#release();
    this.#acquire(steps);
  }

  #stepsToAcquire(): Steps {
    return this.#rules.acquire(this.#memory, this.#me);
  }

  #release(): void {
    runSteps(this.#rules.release(this.#memory, this.#me));
  }

  /**
   * Acquires and keeps the books.
   *
   * @param steps the policy's
   * @param afterCall whether the thread comes back from one
   * @returns when the thread had the lock, by `performance.now()`; 0 if it comes from no call and had it at once, and the clock was not read
   */
  #acquire(steps: Steps, afterCall = false): number {
    const memory = this.#memory;
    const books = this.#books;
    memory.sleptAtMs = 0;
    runSteps(steps);
    const slept = memory.sleptAtMs !== 0;
    const nowMs = slept || afterCall ? performance.now() : 0;
    if (slept) books.slept((nowMs - memory.sleptAtMs) * 1e6);
    if (afterCall) books.cameBack(slept);
    this.#recorder?.holds(books.taker, nowMs * 1e6);
    books.owns();
    return nowMs;
  }
}
