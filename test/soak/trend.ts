/**
 * Does a quantity grow? By its trend over all samples, the median of the slopes between any two of them (Theil and Sen): a first and
 * a last sample say more about the moment than about the run, and a regression line follows a single peak.
 */
import { median } from 'simple-statistics';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** More pairs than these are not looked at: every so many samples are left out. */
const MOST_SAMPLES = 400;

/**
 * @param samples in the order of time, at least 2
 * @returns by what part of its level the quantity grows from the first sample to the last; less than 0 if it shrinks
 */
export function growth(samples: readonly Sample[]): number {
  const every = Math.ceil(samples.length / MOST_SAMPLES);
  const kept = samples.filter((_, i) => i % every === 0);
  const slopes = kept.flatMap((from, i) =>
    kept.slice(i + 1).map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  const [first, last] = [kept.at(0), kept.at(-1)];
  if (first === undefined || last === undefined || slopes.length === 0)
    throw new Error('a trend of fewer than 2 samples');
  const level = median(kept.map(({ value }) => value));
  return level === 0 ? 0 : (median(slopes) * (last.atMs - first.atMs)) / level;
}

/**
 * The lower envelope: of each so many samples the least. What a heap holds between two collections is no growth; what it holds after
 * the better one of several is.
 */
export function troughs(samples: readonly Sample[], each: number): Sample[] {
  const groups = Array.from({ length: Math.ceil(samples.length / each) }, (_, i) =>
    samples.slice(i * each, (i + 1) * each),
  );
  return groups.map((group) => group.reduce((least, sample) => (sample.value < least.value ? sample : least)));
}
