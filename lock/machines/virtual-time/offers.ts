/**
 * Offers that nobody takes. Under a policy that counts ticks a thread that works offers the lock every few microseconds, and mostly nobody
 * wants it. What an offer does follows from the words and from who sleeps on them. So once a period, from one offer to the next, has
 * passed in which nobody slept, no event came or was made, and which left the words as it found them, every other that begins with
 * the same words is like it but for its number of leaves, which follows from the ticks: the clock is moved on by whole periods to the
 * next event or the end of the work, and what was done in them is counted.
 *
 * Only for policies that come with Convoy: another might count its own offers.
 */
import { INTS_PER_WORD } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { VirtualThread } from './thread.ts';
import { looksToOffer, ticksAfterLooks } from './work.ts';

export class Offers {
  readonly #machine: Machine;
  readonly #lock: VirtualLock;
  readonly #thread: VirtualThread;
  /** As they were at the last offer. */
  readonly #words: Int32Array;
  /** At the last offer; -1: none of this work, or one that is no measure of those after it. */
  #commotion = -1;
  #fetches = 0;
  #atNs = 0;
  #leavesDone = 0;
  #stepsMade = 0;
  /** The words with which an offer is known, and what it takes and does; -1: none is known. */
  readonly #knownWords: Int32Array;
  #offerNs = -1;
  #steps = 0;

  constructor(machine: Machine, lock: VirtualLock, thread: VirtualThread) {
    this.#machine = machine;
    this.#lock = lock;
    this.#thread = thread;
    this.#words = new Int32Array(lock.state.words.values.length / INTS_PER_WORD);
    this.#knownWords = new Int32Array(this.#words.length);
  }

  /** Other work begins: what lies between its first offer and the last one is no period. */
  beginWork(): void {
    this.#commotion = -1;
  }

  /** An offer begins. Counts those that would be like the last, and moves the clock over them. */
  begin(): void {
    const machine = this.#machine;
    const thread = this.#thread;
    const { words } = this.#lock.state;
    // The first takes longer than those after it.
    if (words.asleep > 0 || machine.isCold(thread, 'step')) {
      this.#commotion = -1;
      return;
    }
    // With all cache lines here, as in those that will be like it.
    const isQuiet = machine.commotion === this.#commotion && words.fetches === this.#fetches;
    if (isQuiet && this.#finds(this.#words)) {
      const workNs = (thread.leavesDone - this.#leavesDone) * this.#lock.state.leafNs;
      this.#offerNs = machine.nowNs - this.#atNs - workNs;
      this.#steps = thread.stepsMade - this.#stepsMade;
      this.#knownWords.set(this.#words);
    }
    if (this.#offerNs >= 0 && (isQuiet || machine.costs.lineNs === 0) && this.#finds(this.#knownWords)) this.#skip();
    this.#commotion = machine.commotion;
    this.#fetches = words.fetches;
    this.#atNs = machine.nowNs;
    this.#leavesDone = thread.leavesDone;
    this.#stepsMade = thread.stepsMade;
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = words.values[i * INTS_PER_WORD] as number;
  }

  #skip(): void {
    const machine = this.#machine;
    const thread = this.#thread;
    const lock = this.#lock;
    const { leafNs } = lock.state;
    const { quietNs } = machine;
    if (quietNs === Infinity && thread.leavesLeft === Infinity) return;
    let times = 0;
    let leaves = 0;
    let tookNs = 0;
    let { ticksLeft } = lock.books;
    for (;;) {
      const looks = looksToOffer(lock, ticksLeft);
      const workNs = looks * leafNs;
      // An offer comes only before leaves that are left.
      if (leaves + looks >= thread.leavesLeft || tookNs + this.#offerNs + workNs >= quietNs) break;
      times++;
      leaves += looks;
      tookNs += this.#offerNs + workNs;
      ticksLeft = ticksAfterLooks(lock, ticksLeft, looks);
    }
    if (times === 0) return;
    machine.skip(tookNs);
    lock.books.ticksLeft = ticksLeft;
    lock.books.offered(times);
    thread.leavesLeft -= leaves;
    thread.leavesDone += leaves;
    thread.stepsMade += times * this.#steps;
  }

  /** Whether the words are these. */
  #finds(expected: Int32Array): boolean {
    const { values } = this.#lock.state.words;
    for (let i = 0; i < expected.length; i++) if (values[i * INTS_PER_WORD] !== expected[i]) return false;
    return true;
  }
}
