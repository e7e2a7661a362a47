/**
 * Chance, the same for the same seed on every machine and every version of the engine: whole numbers from a generator, and from them
 * values of a distribution that was measured. No logarithm or exponential is taken: their last digit need not be the same everywhere.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A distribution: its quantiles, `[share of values that are not larger, value in nanoseconds]`, ascending, from 0 to 1. */
export type Quantiles = readonly Quantile[];
type Quantile = readonly [share: number, ns: number];

export class Random {
  readonly #generator;

  /**
   * @param seed of the run
   * @param name of what is drawn for, so that two cells of a run do not have the same luck
   */
  constructor(seed: number, name: string) {
    this.#generator = xoroshiro128plus(hash(seed, name));
    // The first numbers of generators whose seeds are alike are alike.
    for (let i = 0; i < 20; i++) this.#generator.next();
  }

  /** From 0, to less than 1. */
  uniform(): number {
    return (this.#generator.next() >>> 0) / 2 ** 32;
  }

  /** A value of a distribution of at least one quantile, in whole nanoseconds. */
  draw(quantiles: Quantiles): number {
    return valueAt(quantiles, this.uniform());
  }
}

/** The value that this share of a distribution does not exceed, in whole nanoseconds: linear between two quantiles. */
export function valueAt(quantiles: Quantiles, share: number): number {
  const last = quantiles.length - 1;
  let i = Math.min(1, last);
  while (i < last && share > (quantiles[i] as Quantile)[0]) i++;
  const to = quantiles[i] as Quantile;
  const from = quantiles[Math.max(0, i - 1)] as Quantile;
  const width = to[0] - from[0];
  return Math.floor(width > 0 ? from[1] + ((to[1] - from[1]) * (share - from[0])) / width : to[1]);
}

/** FNV-1a, over the seed and the name. */
function hash(seed: number, name: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed} ${name}`)) value = Math.imul(value ^ byte, 0x01000193);
  return value;
}
