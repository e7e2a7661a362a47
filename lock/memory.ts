/**
 * Shared words and the atomic steps on them.
 *
 * A policy touches shared memory only through a {@link Memory}, and yields each call: one `yield` is one atomic step, and
 * the only place where another thread can come between.
 *
 *     const found = yield m.compareExchange(LOCK, FREE, HELD);
 *
 * Three machines implement the interface. On threads the step has happened when it is yielded, and the value yielded is its
 * result. A machine that chooses the order itself writes the step down, performs it when its turn has come, and passes the
 * result to `next()`. Either way the policy sees the result, a number, as the value of the `yield`.
 */

/** A shared 32-bit signed integer, named by its index in the `Int32Array` that holds them all. */
export type Word = number;

/** What a step hands to the machine that drives the policy; meaningful to that machine alone. */
export type Step = number;

/** A piece of a policy: yields steps, is given their results, returns `Result`. */
export type Steps<Result = void> = Generator<Step, Result, number>;

/** Results of {@link Memory.wait}: the word did not hold the expected value; a notify came; the time was over. */
export const NOT_EQUAL = 0;
export const WOKEN = 1;
export const TIMED_OUT = 2;

/** The atomic steps. Sequentially consistent, as `Atomics` and the default C11 atomics are. */
export interface Memory {
  /** Result: the word's value. */
  load(word: Word): Step;
  /** Result: the value stored. */
  store(word: Word, value: number): Step;
  /** Result: the value before. */
  exchange(word: Word, value: number): Step;
  /** Result: the value before, which equals `expected` exactly when the word was changed. */
  compareExchange(word: Word, expected: number, value: number): Step;
  /** Result: the value before. */
  add(word: Word, amount: number): Step;
  /**
   * Sleeps while the word holds `expected`, at most `timeoutNs` (`Infinity`: until notified). Comparing and going to sleep are one
   * step, as in futex(2). Result: {@link NOT_EQUAL}, {@link WOKEN} or {@link TIMED_OUT}.
   */
  wait(word: Word, expected: number, timeoutNs: number): Step;
  /** Wakes at most `count` sleepers of the word (`Infinity`: all). Result: how many. */
  notify(word: Word, count: number): Step;
}

/**
 * Words stand a cache line apart, so that a thread spinning on one does not slow the writer of another. Two lines, because x86
 * prefetches lines in pairs.
 */
export const INTS_PER_WORD = 32;

/** Where each of a policy's words is. Word `i` in the order of the declaration stands at index `i * INTS_PER_WORD`. */
export type WordsOf<Name extends string> = Readonly<Record<Name, Word>>;

/**
 * Gives each declared word its place.
 *
 * @param declared a policy's words, name → meaning, in the order in which they are laid out
 * @returns name → index into the shared `Int32Array`
 */
export function layOut<Name extends string>(declared: Readonly<Record<Name, string>>): WordsOf<Name> {
  const names = Object.keys(declared) as Name[];
  return Object.fromEntries(names.map((name, i) => [name, i * INTS_PER_WORD])) as Record<Name, Word>;
}
