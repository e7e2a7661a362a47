/** What is made of raw samples. Percentiles are values that were observed (nearest rank), never interpolated between two. */
import { median } from 'simple-statistics';

declare const sorted: unique symbol;

/** Samples in ascending order; only {@link sortSamples} makes them. */
export type SortedSamples = Float64Array & { readonly [sorted]: true };

export function sortSamples(samples: Iterable<number>): SortedSamples {
  return Float64Array.from(samples).sort() as SortedSamples;
}

/**
 * The smallest sample that at least `percent` per cent of all samples do not exceed.
 *
 * @param percent from 0, the smallest sample, to 100, the largest
 * @returns NaN of no samples
 */
export function percentile(samples: SortedSamples, percent: number): number {
  return samples[nearestRank(percent, samples.length) - 1] ?? Number.NaN;
}

/**
 * The {@link percentile} of several groups of samples thrown together, without throwing them together: a bootstrap asks for it a
 * thousand times, of other groups each time.
 */
export function pooledPercentile(groups: readonly SortedSamples[], percent: number): number {
  const rank = nearestRank(
    percent,
    groups.reduce((sum, group) => sum + group.length, 0),
  );
  let smallest = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const at = firstIndex(group.length, (i) => countAtMost(groups, group[i] as number) >= rank);
    smallest = Math.min(smallest, group[at] ?? smallest);
  }
  return smallest === Number.POSITIVE_INFINITY ? Number.NaN : smallest;
}

/** How many samples are less than a value: the index of the first that is not. */
export function countBelow(samples: SortedSamples, value: number): number {
  return firstIndex(samples.length, (i) => (samples[i] as number) >= value);
}

function countAtMost(groups: readonly SortedSamples[], value: number): number {
  let count = 0;
  for (const group of groups) count += firstIndex(group.length, (i) => (group[i] as number) > value);
  return count;
}

/** From 1. In whole thousandths of a per cent: 99.9 / 100 × 1,000 is more than 999 in binary fractions, and would be rank 1,000. */
function nearestRank(percent: number, count: number): number {
  return Math.max(1, Math.ceil((Math.round(percent * 1_000) * count) / 100_000));
}

/** The first index from 0 at which `holds`, which never ceases to hold afterwards; `length` if nowhere. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A figure of several rounds: their median, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The median of an even number of values is the mean of the middle two. Null of no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
