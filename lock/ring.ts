/**
 * The memory a thread's events are recorded in: a ring in shared memory, written only by its thread and read by others while it writes.
 * A full ring overwrites the oldest, and counts.
 *
 * The writer stores events and then their count. A reader copies, and reads the count again: what the writer may have come to meanwhile
 * is not trusted.
 */

/** How many events a ring holds unless it is told otherwise: the last few hundred messages of a server under contention. */
export const RING_EVENTS = 16_384;

/**
 * Events so close to being overwritten are not trusted: the writer may be at some that are not published yet, and a processor may show its
 * stores to others in another order.
 */
const GUARD = 16;

/** An event is a time and a number: its word in the low bits, its detail above. */
const DETAIL_SHIFT = 4;
const WORD_MASK = (1 << DETAIL_SHIFT) - 1;

interface Views {
  /** What to add to the times for the machine's clock. */
  readonly originNs: Float64Array<SharedArrayBuffer>;
  readonly atNs: Float64Array<SharedArrayBuffer>;
  readonly what: Int32Array<SharedArrayBuffer>;
  /** Events written so far, modulo 2^32. */
  readonly written: Int32Array<SharedArrayBuffer>;
}

/**
 * Memory for the last events of a thread, 12 bytes each.
 *
 * @param capacity how many; a power of two, so that the count may run over, and more than 16
 */
export function createRing(capacity = RING_EVENTS): SharedArrayBuffer {
  if (!(capacity > GUARD && Number.isInteger(Math.log2(capacity))))
    throw new RangeError(`a ring of ${capacity} events`);
  const ring = new SharedArrayBuffer((1 + capacity) * 12);
  // Touched now, so that the kernel does not have to find pages while the thread is being recorded.
  new Uint8Array(ring).fill(0);
  return ring;
}

function viewsOf(ring: SharedArrayBuffer): Views {
  const capacity = ring.byteLength / 12 - 1;
  const ints = (1 + capacity) * 8;
  return {
    originNs: new Float64Array(ring, 0, 1),
    atNs: new Float64Array(ring, 8, capacity),
    written: new Int32Array(ring, ints, 1),
    what: new Int32Array(ring, ints + 4, capacity),
  };
}

/** The writer's end. */
export class RingWriter {
  readonly #atNs: Float64Array<SharedArrayBuffer>;
  readonly #what: Int32Array<SharedArrayBuffer>;
  readonly #count: Int32Array<SharedArrayBuffer>;
  readonly #mask: number;
  #written = 0;

  /** @param originNs what to add to this thread's times for those of the machine's clock */
  constructor(ring: SharedArrayBuffer, originNs: number) {
    const views = viewsOf(ring);
    views.originNs[0] = originNs;
    this.#atNs = views.atNs;
    this.#what = views.what;
    this.#count = views.written;
    this.#mask = views.what.length - 1;
  }

  /**
   * Writes an event, which readers see after the next {@link publish}: events of one moment are published together, since a store that
   * others must see in its order costs as much as the event.
   *
   * @param atNs by the thread's own clock, not before the event before it
   * @param word less than 16
   */
  write(atNs: number, word: number, detail: number): void {
    const slot = this.#written & this.#mask;
    this.#atNs[slot] = atNs;
    this.#what[slot] = word | (detail << DETAIL_SHIFT);
    this.#written = (this.#written + 1) | 0;
  }

  /** Shows readers what was written. Not more than a few events may wait for it. */
  publish(): void {
    Atomics.store(this.#count, 0, this.#written);
  }
}

/** Events of a ring, oldest first. */
export interface RingEvents {
  /** On the machine's clock. */
  readonly atNs: number[];
  readonly word: number[];
  readonly detail: number[];
  /** How many events before these were overwritten; 0 if that does not matter, since everything asked for is there. */
  readonly overwritten: number;
}

/** How many events were written so far, modulo 2^32. */
export function countEvents(ring: SharedArrayBuffer): number {
  return Atomics.load(viewsOf(ring).written, 0) >>> 0;
}

/**
 * Reads a ring, while the thread goes on writing.
 *
 * @param sinceNs on the machine's clock
 * @param isWhole whether a reader who has everything from this word on needs nothing from before it
 * @returns the events from the last such word at or before that time on, or all there are if there is none
 */
export function readRing(ring: SharedArrayBuffer, sinceNs: number, isWhole: (word: number) => boolean): RingEvents {
  const { originNs, atNs, what, written } = viewsOf(ring);
  const capacity = what.length;
  const until = Atomics.load(written, 0) >>> 0;
  const times = atNs.slice();
  const whats = what.slice();
  const now = Atomics.load(written, 0) >>> 0;
  const oldest = Math.max(0, now - capacity + GUARD);
  const timeOf = (n: number) => (times[n % capacity] as number) + (originNs[0] as number);
  const wordOf = (n: number) => (whats[n % capacity] as number) & WORD_MASK;

  let first = Math.min(until, oldest);
  for (let n = until - 1; n >= oldest; n--) {
    if (timeOf(n) <= sinceNs && isWhole(wordOf(n))) {
      first = n;
      break;
    }
  }
  const numbers = Array.from({ length: until - first }, (_, i) => first + i);
  const complete = first < until && timeOf(first) <= sinceNs && isWhole(wordOf(first));
  return {
    atNs: numbers.map(timeOf),
    word: numbers.map(wordOf),
    detail: numbers.map((n) => (whats[n % capacity] as number) >> DETAIL_SHIFT),
    overwritten: complete ? 0 : Math.min(oldest, until),
  };
}
