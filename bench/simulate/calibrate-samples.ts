/** Samples of a calibration: how they are taken, and the numbers that are made of them. */
import { percentile, sortSamples } from '../figures/statistics.ts';
import type { Quantiles } from './random.ts';

/**
 * Close to both ends they lie close: values are drawn on a line between two, and of the longest interruptions each next one is several times as long.
 * Closest where a thread begins to run before its waker is back, a few times in 1,000: pypy16 is how often that is.
 */
const SHARES = [
  0, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004, 0.005, 0.0075, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9,
  0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1,
] as const;
/** What is rarer than this at either end was an interruption, and those are simulated by themselves. */
const RARE = 0.01;

/** How long each of many calls took, in nanoseconds. */
export function timed(times: number, call: () => void): number[] {
  return Array.from({ length: times }, () => {
    const startMs = performance.now();
    call();
    return (performance.now() - startMs) * 1e6;
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
