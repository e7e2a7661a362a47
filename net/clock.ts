/**
 * One clock for all threads and processes of a machine: CLOCK_MONOTONIC, in nanoseconds. `performance.now()` reads the same clock
 * without a BigInt, but counts from the birth of its thread; a thread converts with its own origin.
 */

/** Readings of which the one with the least time between its two ends counts: the first few load and compile code. */
const READINGS = 20;

/** What to add to this thread's `performance.now() * 1e6` to have the machine's clock, to a fraction of a microsecond. */
export function clockOriginNs(): number {
  let closestMs = Infinity;
  let originNs = 0;
  for (let reading = 0; reading < READINGS; reading++) {
    const beforeMs = performance.now();
    const machineNs = process.hrtime.bigint();
    const afterMs = performance.now();
    if (afterMs - beforeMs >= closestMs) continue;
    closestMs = afterMs - beforeMs;
    originNs = Number(machineNs) - ((beforeMs + afterMs) / 2) * 1e6;
  }
  return originNs;
}
