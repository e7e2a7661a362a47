/**
 * Writes down what a thread does under its lock, in the words of `timeline.ts`, for whoever keeps the lock in his hand: `GlobalLock`
 * on real threads, `VirtualLock` in virtual time. It is told what happens and when; what is not worth an event it leaves out.
 *
 * Two things happen so often that recording them would cost more than they do. A thread that comes back from a call mostly finds the lock
 * free: then it runs from when it has it, and has never wanted. And a thread that offers the lock every few microseconds mostly has it
 * back at once: then nothing has happened. So a wish is written down when it turns out to be one: when the thread falls asleep over it,
 * or when another thread had the lock meanwhile.
 */
import { RingWriter } from './ring.ts';
import { EVENT } from './timeline.ts';

/** Tells nanoseconds; need not be the machine's clock. */
export type Clock = () => number;

export class Recorder {
  readonly #ring: RingWriter;
  readonly #clock: Clock;
  /** The state last written, the one to go back to from sleep, and the last call. */
  #state: number = EVENT.away;
  #awake: number = EVENT.away;
  #call = 0;
  /** Whether the thread wants the lock and that is not written down; and since when, NaN if nobody looked. */
  #wishes = false;
  #wishNs = 0;
  /** Whether it is the lock it offered at a yield point that it wants back. */
  #offered = false;
  /** Whether it gave the lock up for a call. */
  #called = false;
  /** When it woke, if it has done nothing since that would be written down; else 0. */
  #wokeNs = 0;

  /**
   * @param ring of this thread alone: `createRing`
   * @param clock the thread's
   * @param originNs what to add to its times for those of the machine's clock
   */
  constructor(ring: SharedArrayBuffer, clock: Clock, originNs = 0) {
    this.#ring = new RingWriter(ring, originNs);
    this.#clock = clock;
  }

  /** The thread is about to give the lock up for a call: which, as a number, and when, by its clock. */
  calls(call: number, atNs: number): void {
    this.#called = true;
    this.#call = call;
    this.#enter(EVENT.call, atNs);
    this.#ring.publish();
  }

  /** The thread is about to give the lock up for long. */
  leaves(): void {
    this.#enter(EVENT.away, this.#clock());
    this.#ring.publish();
  }

  /** The thread is about to ask for the lock. NaN: that is timed when it falls asleep over it, or has it. */
  wants(atNs = this.#clock()): void {
    this.#wishes = true;
    this.#wishNs = atNs;
  }

  /**
   * The holder is about to offer the lock at a yield point, and wants it back.
   *
   * @param looks whether to look at the clock. Otherwise the offer is timed when the thread sees that it was taken
   */
  offers(looks: boolean): void {
    this.#offered = true;
    this.wants(looks ? this.#clock() : Number.NaN);
  }

  /** The thread is about to sleep on a word of the lock. */
  sleeps(nowNs = this.#clock()): void {
    this.#writeWish(nowNs);
    // A policy may sleep in `setPriority`; whoever holds the lock runs.
    if (this.#state === EVENT.runs) return;
    this.#awake = this.#state;
    this.#wokeNs = 0;
    this.#enter(EVENT.sleeps, nowNs);
    this.#ring.publish();
  }

  /** It is awake again. Readers see it with what it does next, at once: it takes the lock, or asks, or sleeps again. */
  wakes(): void {
    if (this.#state !== EVENT.sleeps) return;
    this.#wokeNs = this.#clock();
    this.#enter(this.#awake, this.#wokeNs);
  }

  /**
   * The thread has asked the holder to give the lock up. Who asks because a sleep timed out does so at once: that is not timed again. Readers
   * see it when it sleeps over it, or has the lock.
   */
  requests(): void {
    const nowNs = this.#wokeNs === 0 ? this.#clock() : this.#wokeNs;
    this.#wokeNs = 0;
    this.#writeWish(nowNs);
    this.#ring.write(nowNs, EVENT['drop-requested'], 0);
  }

  /**
   * The thread has the lock.
   *
   * @param taker the thread that had it last, if that was another one and nobody else may hold it at the same time; else 0
   * @param atNs if the clock has been read since
   */
  holds(taker: number, atNs = 0): void {
    if (!this.#wishes || taker !== 0) {
      const nowNs = atNs === 0 ? this.#clock() : atNs;
      this.#writeWish(nowNs);
      if (taker !== 0 && this.#called) this.#ring.write(nowNs, EVENT.stolen, taker);
      this.#enter(EVENT.runs, nowNs);
      this.#ring.publish();
    } else if (!this.#offered) {
      this.#enter(EVENT.runs, Number.isNaN(this.#wishNs) ? atNs || this.#clock() : this.#wishNs);
      this.#ring.publish();
    }
    this.#wishes = false;
    this.#offered = false;
    this.#called = false;
    this.#wokeNs = 0;
  }

  #writeWish(nowNs: number): void {
    if (!this.#wishes) return;
    const sinceNs = Number.isNaN(this.#wishNs) ? nowNs : this.#wishNs;
    if (this.#offered) this.#ring.write(sinceNs, EVENT['drop-honoured'], 0);
    this.#enter(EVENT.wants, sinceNs);
    this.#wishes = false;
    this.#offered = false;
  }

  #enter(state: number, atNs: number): void {
    this.#state = state;
    this.#ring.write(atNs, state, state === EVENT.call ? this.#call : 0);
  }
}
