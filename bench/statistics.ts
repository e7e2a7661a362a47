/** What is made of raw samples. Percentiles are values that were observed (nearest rank), never interpolated between two. */

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
  const rank = Math.max(1, Math.ceil((percent / 100) * samples.length));
  return samples[rank - 1] ?? Number.NaN;
}

/** A figure of several rounds: their median, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The median of an even number of values is the mean of the middle two. Null of no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  const ordered = [...values].sort((a, b) => a - b);
  const low = ordered[Math.floor((ordered.length - 1) / 2)];
  const high = ordered[Math.ceil((ordered.length - 1) / 2)];
  const min = ordered[0];
  const max = ordered.at(-1);
  if (low === undefined || high === undefined || min === undefined || max === undefined) return null;
  return { median: (low + high) / 2, min, max };
}
