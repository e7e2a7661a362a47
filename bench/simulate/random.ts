/**
 * Chance, the same for the same seed on every machine and every version of the engine: whole numbers from a generator, and from them
 * values of a distribution that was measured. No logarithm or exponential is taken: their last digit need not be the same everywhere.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A distribution: its quantiles, `[share of values that are not larger, value in nanoseconds]`, ascending, from 0 to 1. */
export type Quantiles = readonly (readonly [share: number, ns: number])[];

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

  /** A value of a distribution, in whole nanoseconds: linear between two quantiles. */
  draw(quantiles: Quantiles): number {
    const share = this.uniform();
    let i = 1;
    while (i < quantiles.length - 1 && share > (quantiles[i] as readonly [number, number])[0]) i++;
    const [toShare, toNs] = quantiles[i] ?? quantiles[0] ?? [1, 0];
    const [fromShare, fromNs] = quantiles[i - 1] ?? [0, toNs];
    const width = toShare - fromShare;
    return Math.floor(width > 0 ? fromNs + ((toNs - fromNs) * (share - fromShare)) / width : toNs);
  }
}

/** FNV-1a, over the seed and the name. */
function hash(seed: number, name: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed} ${name}`)) value = Math.imul(value ^ byte, 0x01000193);
  return value;
}
