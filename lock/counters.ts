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
  /** Time from first going to sleep in acquire to holding the lock, over all those waits. */
  'waitNs',
  /** Times the thread offered the lock at a yield point. */
  'yields',
  /** Ticks of interpreter work done. */
  'ticks',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** A reading of one thread's counters, or of several added up. */
export type Counts = Record<CounterName, number>;

/** 128 bytes a thread: no false sharing. */
export const DOUBLES_PER_THREAD = 16;

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
