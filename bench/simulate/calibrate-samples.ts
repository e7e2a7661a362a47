/** Samples of a calibration: how they are taken, and the numbers that are made of them. */
import { percentile, sortSamples } from '../figures/statistics.ts';
import type { Quantiles } from './random.ts';

/**
 * Close to both ends they lie close: values are drawn on a line between two, and of the longest interruptions each next one is several times as long.
 * Closest where a thread begins to run before its waker is back, a few times in 1,000: pypy16 is how often that is. And in the middle a twentieth apart:
 * a call that interrupts a CPU takes ten times as long as one that need not, and nothing lies between.
 */
const SHARES = [
  0, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004, 0.005, 0.0075, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,
  0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1,
] as const;
/** What is rarer than this at either end was an interruption, and those are simulated by themselves. */
const RARE = 0.01;

/** A look at the clock, and as many before, in which the engine compiles it. */
const LOOKS = 10_000;
const CLOCK_NS = clockNs();

/** How long a look at the clock takes: it is in everything that is measured by two, and as long as a fourth of a short call. */
function clockNs(): number {
  const looksNs = Array.from({ length: 2 * LOOKS }, () => {
    const startMs = performance.now();
    return (performance.now() - startMs) * 1e6;
  });
  return median(looksNs.slice(LOOKS));
}

/** How long it is since then without the look at the clock, in nanoseconds. */
export function sinceNs(startMs: number): number {
  return Math.max(0, (performance.now() - startMs) * 1e6 - CLOCK_NS);
}

/** How long each of many calls took, in nanoseconds. */
export function timed(times: number, call: () => void): number[] {
  return Array.from({ length: times }, () => {
    const startMs = performance.now();
    call();
    return sinceNs(startMs);
  });
}

/** In whole nanoseconds. */
export function median(values: readonly number[]): number {
  return Math.round(percentile(sortSamples(values), 50));
}

/** Makes something of all values of each key. */
export function byKey<Key extends string, Value, Made>(
  rows: readonly Readonly<Record<Key, Value>>[],
  make: (values: readonly Value[]) => Made,
): Record<Key, Made> {
  const keys = Object.keys(rows[0] ?? {}) as Key[];
  return Object.fromEntries(keys.map((key) => [key, make(rows.map((row) => row[key]))])) as Record<Key, Made>;
}

/** @param rare what is rarer than this share, at either end, is left out */
export function quantilesOf(values: readonly number[], rare = RARE): [number, number][] {
  const sorted = sortSamples(values);
  const shares = SHARES.filter((share) => share === 0 || share === 1 || (share >= rare && share <= 1 - rare));
  return shares.map((share) => {
    const within = Math.min(1 - rare, Math.max(rare, share));
    return [share, Math.round(percentile(sorted, within * 100))] satisfies Quantiles[number] as [number, number];
  });
}
