/**
 * States as rows of a few integers: who sleeps, the words, where each thread stands, the watchers' numbers. All that were found stand one
 * after the other, in the order in which they were found, and a hash table of their numbers tells the known from the new.
 *
 * A search spends its time here. A `Map` of strings, which says the same in three lines, takes four times as long and twice the memory.
 */
import type { Watch } from './claims.ts';
import type { World } from './world.ts';

/** Positions have numbers that fit, with the piece they are in, into one integer. */
export const MAX_POSITIONS = 0x1_0000;
const POSITION_BITS = 16;

const ROWS_PER_CHUNK = 0x4000;
const FIRST_SLOTS = 0x4000;

/** All states that were found, numbered from 0. */
export class States {
  readonly #width: number;
  /** The rows in chunks: to grow means to add one, nothing is copied. */
  readonly #chunks: Int32Array[] = [];
  /** A row under construction, to be looked up. */
  readonly #row: Int32Array;
  /** The hash table: 1 + number of the state in each slot, 0 where there is none. Never more than half full. */
  #slots = new Int32Array(FIRST_SLOTS);
  readonly #hashes: number[] = [];
  /** How many there are. */
  size = 0;

  /** @param extra integers beside those of the world and the watch, see {@link find} */
  constructor(world: World, watch: Watch, extra: number) {
    this.#width = 1 + world.words.length + world.actors.length + watch.states.length + extra;
    this.#row = new Int32Array(this.#width);
  }

  /**
   * The number of the state in which a world, and the watch over it, are now.
   *
   * @param runner and
   * @param preemptions belong to the state where pre-emptions are counted
   * @returns {@link size} as it was before, if the state is new
   */
  find(world: World, watch: Watch, runner: number, preemptions: number): number {
    const row = this.#row;
    const { words, pieceOf, positions } = world;
    let at = 0;
    row[at++] = world.asleep;
    for (let i = 0; i < words.length; i++) row[at++] = words[i] as number;
    for (let i = 0; i < positions.length; i++) {
      row[at++] = ((pieceOf[i] as number) << POSITION_BITS) | (positions[i]?.id ?? 0);
    }
    for (let i = 0; i < watch.states.length; i++) row[at++] = watch.states[i] as number;
    if (at < row.length) {
      row[at++] = runner;
      row[at++] = preemptions;
    }
    return this.#find(row);
  }

  /** Puts a world, and the watch over it, into a state. */
  restore(state: number, world: World, watch: Watch): void {
    const chunk = this.#chunkOf(state);
    const { words, actors } = world;
    let at = (state % ROWS_PER_CHUNK) * this.#width;
    world.asleep = chunk[at++] as number;
    for (let i = 0; i < words.length; i++) words[i] = chunk[at++] as number;
    for (let i = 0; i < actors.length; i++) {
      const stands = chunk[at++] as number;
      world.moveTo(i, stands >>> POSITION_BITS, stands & (MAX_POSITIONS - 1));
    }
    for (let i = 0; i < watch.states.length; i++) watch.states[i] = chunk[at++] as number;
  }

  /** The `fromEnd`-th integer from the end of a state's row: 2 is the runner, 1 its pre-emptions. */
  past(state: number, fromEnd: number): number {
    return this.#chunkOf(state)[((state % ROWS_PER_CHUNK) + 1) * this.#width - fromEnd] as number;
  }

  #find(row: Int32Array): number {
    if (2 * this.size >= this.#slots.length) this.#grow();
    const hash = hashOf(row);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot] as number; entry !== 0; entry = slots[slot] as number) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, row)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    const number = this.size++;
    slots[slot] = number + 1;
    this.#hashes.push(hash);
    if (number % ROWS_PER_CHUNK === 0) this.#chunks.push(new Int32Array(ROWS_PER_CHUNK * this.#width));
    this.#chunkOf(number).set(row, (number % ROWS_PER_CHUNK) * this.#width);
    return number;
  }

  #equals(state: number, row: Int32Array): boolean {
    const chunk = this.#chunkOf(state);
    const start = (state % ROWS_PER_CHUNK) * this.#width;
    for (let i = 0; i < row.length; i++) if (chunk[start + i] !== row[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = (this.#hashes[number] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }

  #chunkOf(state: number): Int32Array {
    return this.#chunks[Math.floor(state / ROWS_PER_CHUNK)] as Int32Array;
  }
}

/** Murmur3's mixing of each integer. 31 bits, so that the engine keeps it as a small integer. */
function hashOf(row: Int32Array): number {
  let hash = 0;
  for (let i = 0; i < row.length; i++) {
    let mixed = Math.imul(row[i] as number, 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash ^= mixed;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}
