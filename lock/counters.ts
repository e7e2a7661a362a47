/**
 * What a thread counts about itself and the lock, in shared memory, so that another thread can read it between two phases of a
 * measurement. Only the owner writes.
 */

/** The counters of a thread, in the order in which they stand in its slice of the shared `Float64Array`. */
export const COUNTERS = [
  /** Release and re-acquire around a call. */
  'transitions',
  /** Transitions in between which another thread held the lock. */
  'steals',
  /** Steals for which the thread had to sleep. */
  'waits',
  /** Time from first going to sleep in acquire to holding the lock, over all acquires. */
  'waitNs',
  /** The part of waitNs at whose end a CPU thread was the last to have held the lock. */
  'waitBehindSpinnersNs',
  /** Times the thread offered the lock at a yield point. */
  'yields',
  /** Rounds of its work that a CPU thread has done. */
  'rounds',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** A reading of one thread's counters, or of several added up. */
export type Counts = Record<CounterName, number>;

/**
 * Buckets of the wait histogram: bucket i counts waits of less than 2^i µs that are in no bucket before; the last one counts all
 * longer ones too, from 4.2 s.
 */
export const WAIT_BUCKETS = 24;

/** A thread's slice: its counters, then its wait histogram, to whole cache lines. */
export const DOUBLES_PER_THREAD = 48;
const FIRST_BUCKET = DOUBLES_PER_THREAD - WAIT_BUCKETS;

/** Index of a counter in its thread's slice. */
export const COUNTER = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Readonly<Counts>;

/**
 * Reads one thread's counters.
 *
 * @param counters the shared array of all threads
 * @param thread the thread's number, from 1
 */
export function readCounts(counters: Float64Array, thread: number): Counts {
  const first = thread * DOUBLES_PER_THREAD;
  return Object.fromEntries(COUNTERS.map((name, i) => [name, counters[first + i] ?? 0])) as Counts;
}

/** The sum of several readings. */
export function addCounts(readings: readonly Counts[]): Counts {
  return Object.fromEntries(
    COUNTERS.map((name) => [name, readings.reduce((sum, counts) => sum + counts[name], 0)]),
  ) as Counts;
}

/** What was counted from `before` to `after`. */
export function countsSince(before: Counts, after: Counts): Counts {
  return Object.fromEntries(COUNTERS.map((name) => [name, after[name] - before[name]])) as Counts;
}

/** Counts a wait in the histogram of the thread whose slice this is. */
export function countWait(slice: Float64Array, waitNs: number): void {
  // The number of binary digits of the whole microseconds; a logarithm need not be the same on every engine.
  const digits = 32 - Math.clz32(Math.min(waitNs / 1e3, 2 ** 31));
  const bucket = Math.min(WAIT_BUCKETS - 1, digits);
  (slice[FIRST_BUCKET + bucket] as number)++;
}

/**
 * Reads one thread's wait histogram.
 *
 * @returns {@link WAIT_BUCKETS} counts
 */
export function readWaits(counters: Float64Array, thread: number): number[] {
  const first = thread * DOUBLES_PER_THREAD + FIRST_BUCKET;
  return [...counters.subarray(first, first + WAIT_BUCKETS)];
}
