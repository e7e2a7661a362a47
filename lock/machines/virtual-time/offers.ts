/**
 * Offers that nobody takes. Under a policy that counts ticks a thread that works offers the lock every few microseconds, and mostly nobody
 * wants it. What an offer does follows from the words and from who sleeps on them. So once a period, from one offer to the next, has
 * passed in which nobody slept, no event came or was made, and which left the words as it found them, every other that begins with
 * the same words is like it but for its number of leaves, which follows from the ticks: the clock is moved on by whole periods to the
 * next event or the end of the work, and by an offer more if what comes then comes in the work after it; what was done in them is counted.
 *
 * Only for policies that come with Convoy: another might count its own offers.
 */
import { INTS_PER_WORD } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { VirtualThread } from './thread.ts';
import { looksToOffer, ticksAfterLooks } from './work.ts';

/** What an offer takes and does that finds these words, all of them in its CPU's caches. */
interface KnownOffer {
  readonly words: Int32Array;
  readonly offerNs: number;
  /** After which of it the thread makes a call that wakes; -1 if nobody waits. */
  readonly callsAfterNs: number;
  readonly steps: number;
}

/** Those with so many waiters and so many: what is more than a few is not worth looking through. */
const MAX_KNOWN = 8;

export class Offers {
  readonly #machine: Machine;
  readonly #lock: VirtualLock;
  readonly #thread: VirtualThread;
  readonly #known: KnownOffer[] = [];
  /** At the last offer; -1: none of this work, or one that is no measure of those after it. */
  #commotion = -1;
  #fetches = 0;
  readonly #words: Int32Array;
  #atNs = 0;
  #leavesDone = 0;
  #stepsMade = 0;

  constructor(machine: Machine, lock: VirtualLock, thread: VirtualThread) {
    this.#machine = machine;
    this.#lock = lock;
    this.#thread = thread;
    this.#words = new Int32Array(lock.state.words.values.length / INTS_PER_WORD);
  }

  /** Other work begins: what lies between its first offer and the last one is no period. */
  beginWork(): void {
    this.#commotion = -1;
  }

  /**
   * An offer begins. Counts those that are known until something happens, and moves the clock over them.
   *
   * @returns whether this one has been counted too, and the thread works on; else it is to be made
   */
  begin(): boolean {
    const machine = this.#machine;
    const { words } = this.#lock.state;
    if (words.asleep > 0) {
      this.#commotion = -1;
      return false;
    }
    // With all cache lines here, as in those that will be like it.
    const isQuiet = machine.commotion === this.#commotion && words.fetches === this.#fetches;
    const known = this.#find() ?? (isQuiet && this.#areWords(this.#words) ? this.#learn() : undefined);
    const { lineNs, cold } = machine.costs;
    const skips = known !== undefined && (isQuiet || (lineNs === 0 && cold === undefined));
    if (skips) this.#skip(known);
    this.#note();
    return skips && this.#skipLast(known);
  }

  #find(): KnownOffer | undefined {
    for (const known of this.#known) if (this.#areWords(known.words)) return known;
    return undefined;
  }

  /** What the period that begins is measured from. */
  #note(): void {
    const machine = this.#machine;
    const thread = this.#thread;
    const { words } = this.#lock.state;
    this.#commotion = machine.commotion;
    this.#fetches = words.fetches;
    this.#atNs = machine.nowNs;
    this.#leavesDone = thread.leavesDone;
    this.#stepsMade = thread.stepsMade;
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = words.values[i * INTS_PER_WORD] as number;
  }

  /** A period is over that began as the next one does. */
  #learn(): KnownOffer {
    const thread = this.#thread;
    const workNs = (thread.leavesDone - this.#leavesDone) * this.#lock.state.leafNs;
    const known = {
      words: this.#words.slice(),
      offerNs: this.#machine.nowNs - this.#atNs - workNs,
      callsAfterNs: thread.calledAtNs < this.#atNs ? -1 : thread.calledAtNs - this.#atNs,
      steps: thread.stepsMade - this.#stepsMade,
    };
    if (this.#known.length === MAX_KNOWN) this.#known.length = 0;
    this.#known.push(known);
    return known;
  }

  /** Offers, each with the work after it. */
  #skip({ offerNs, callsAfterNs, steps }: KnownOffer): void {
    const machine = this.#machine;
    const thread = this.#thread;
    const lock = this.#lock;
    const { leafNs } = lock.state;
    const { quietNs } = machine;
    if (quietNs === Infinity && thread.leavesLeft === Infinity) return;
    let times = 0;
    let leaves = 0;
    let tookNs = 0;
    let lastNs = 0;
    let { ticksLeft } = lock.books;
    for (;;) {
      const looks = looksToOffer(lock, ticksLeft);
      const workNs = looks * leafNs;
      // An offer comes only before leaves that are left.
      if (leaves + looks >= thread.leavesLeft || tookNs + offerNs + workNs >= quietNs) break;
      times++;
      leaves += looks;
      lastNs = tookNs;
      tookNs += offerNs + workNs;
      ticksLeft = ticksAfterLooks(lock, ticksLeft, looks);
    }
    if (times === 0) return;
    if (callsAfterNs >= 0) thread.callsAt(machine.nowNs + lastNs + callsAfterNs);
    machine.skip(tookNs);
    lock.books.ticksLeft = ticksLeft;
    lock.books.offered(times);
    thread.leavesLeft -= leaves;
    thread.leavesDone += leaves;
    thread.stepsMade += times * steps;
  }

  /** The offer in the work after which something happens, or the end comes. */
  #skipLast({ offerNs, callsAfterNs, steps }: KnownOffer): boolean {
    if (offerNs >= this.#machine.quietNs) return false;
    if (callsAfterNs >= 0) this.#thread.callsAt(this.#machine.nowNs + callsAfterNs);
    this.#machine.skip(offerNs);
    this.#lock.books.offered(1);
    this.#thread.stepsMade += steps;
    return true;
  }

  #areWords(expected: Int32Array): boolean {
    const { values } = this.#lock.state.words;
    for (let i = 0; i < expected.length; i++) if (values[i * INTS_PER_WORD] !== expected[i]) return false;
    return true;
  }
}
