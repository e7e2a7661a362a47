/**
 * One clock for all threads and processes of a machine: CLOCK_MONOTONIC, in nanoseconds. `performance.now()` reads the same clock at
 * half the price and without a BigInt, but counts from the birth of its thread; a thread converts with its own origin.
 */

/** What to add to this thread's `performance.now() * 1e6` to have the machine's clock. */
export function clockOriginNs(): number {
  return Number(process.hrtime.bigint()) - performance.now() * 1e6;
}
