/**
 * The books of one thread: what it counts, and what the holder of the lock leaves for the next one. Every machine keeps the same
 * books, whatever runs the policy and whatever its time is made of.
 */
import { COUNTER, countWait, DOUBLES_PER_THREAD } from './counters.ts';

/** The buffers the books are kept in. Byte layouts: see `createLockState`. */
export interface BookBuffers {
  /** Number of the thread that holds the lock or held it last, and the tick count: kept by the holder, read by the next one. */
  readonly books: SharedArrayBuffer;
  /** {@link DOUBLES_PER_THREAD} doubles for each thread number. */
  readonly counters: SharedArrayBuffer;
  /** A byte for each thread number: 1 for a CPU thread. Written before the thread starts. */
  readonly spinners: SharedArrayBuffer;
}

/** Places in the books, two cache lines apart. */
const LAST_OWNER = 0;
const TICKS_LEFT = 16;
export const BOOKS_DOUBLES = 32;

export class Books {
  readonly #me: number;
  readonly #exclusive: boolean;
  readonly #books: Float64Array<SharedArrayBuffer>;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #spinners: Uint8Array<SharedArrayBuffer>;

  /**
   * @param buffers those of the lock
   * @param exclusive whether one thread at a time holds it; otherwise there are no steals to count
   * @param me the thread's number
   */
  constructor(buffers: BookBuffers, exclusive: boolean, me: number) {
    this.#me = me;
    this.#exclusive = exclusive;
    this.#books = new Float64Array(buffers.books);
    this.#counters = new Float64Array(buffers.counters, me * DOUBLES_PER_THREAD * 8, DOUBLES_PER_THREAD);
    this.#spinners = new Uint8Array(buffers.spinners);
  }

  /** The thread slept in acquire, and holds the lock now. Said before {@link cameBack} and {@link owns}. */
  slept(waitNs: number): void {
    const counters = this.#counters;
    countWait(counters, waitNs);
    (counters[COUNTER.waitNs] as number) += waitNs;
    const behind = this.#books[LAST_OWNER] as number;
    if (this.#spinners[behind] === 1) (counters[COUNTER.waitBehindSpinnersNs] as number) += waitNs;
  }

  /**
   * The thread that held the lock last, if it was another one; 0 if not, or where several may hold it at once. Asked by the holder
   * before {@link owns}.
   */
  get taker(): number {
    // Written and read by holders only: the lock itself orders these accesses.
    const last = this.#books[LAST_OWNER] as number;
    return this.#exclusive && last !== this.#me ? last : 0;
  }

  /** The thread holds the lock again after a call without it. Said before {@link owns}. */
  cameBack(slept: boolean): void {
    const counters = this.#counters;
    (counters[COUNTER.transitions] as number)++;
    if (this.taker !== 0) {
      (counters[COUNTER.steals] as number)++;
      if (slept) (counters[COUNTER.waits] as number)++;
    }
  }

  /** The thread holds the lock. */
  owns(): void {
    this.#books[LAST_OWNER] = this.#me;
  }

  /** The thread offered the lock at yield points, so many times. */
  offered(times: number): void {
    (this.#counters[COUNTER.yields] as number) += times;
  }

  /** What is left of the ticks between two offers; one count for all threads. */
  get ticksLeft(): number {
    return this.#books[TICKS_LEFT] as number;
  }

  set ticksLeft(ticks: number) {
    this.#books[TICKS_LEFT] = ticks;
  }

  /**
   * The thread has worked, or is about to.
   *
   * @param ticks of that work
   * @param everyTicks between two offers
   * @returns whether they are used up, and the lock must be offered
   */
  spend(ticks: number, everyTicks: number): boolean {
    const left = this.ticksLeft - ticks;
    this.ticksLeft = left < 0 ? ticksAfterOffer(left, everyTicks) : left;
    return left < 0;
  }
}

/**
 * What is left of the ticks after an offer. An interpreter counts each of them; here they are looked at leaf by leaf, and what a leaf had too
 * many counts for the next offer, so that offers are so many ticks apart in the mean. Of long work without a yield point only the rest does.
 *
 * @param left less than 0: the ticks were used up, and more
 * @param everyTicks between two offers
 */
export function ticksAfterOffer(left: number, everyTicks: number): number {
  // Mostly there is no remainder to take, which of fractions is slow: a simulated second has a million offers.
  return everyTicks + (left > -everyTicks ? left : left % everyTicks);
}
