/**
 * Offers that nobody takes. Under a policy that counts ticks a CPU thread offers the lock every few microseconds, and mostly nobody
 * wants it. Once a whole period, from one offer to the next, has passed in which no event came or was made and which left the words as it
 * found them, every further one is like it, as long as no other thread of the lock performs a step: the clock is moved on by whole
 * periods to the next event, and what was done in them is counted. Events elsewhere, an interrupt too, only cut into one of them.
 *
 * Only for policies that come with Convoy: another might count its own offers.
 */
import { INTS_PER_WORD } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { VirtualThread } from './thread.ts';

/** Every offer makes a step; none that is skipped wakes anybody. */
const DONE_IN_OFFERS = ['offer', 'step'] as const;

export class Offers {
  readonly #machine: Machine;
  readonly #lock: VirtualLock;
  readonly #thread: VirtualThread;
  /** As they were at the last offer. */
  readonly #words: Int32Array;
  #actorChanges = -1;
  #commotion = -1;
  #atNs = 0;
  #late = false;
  #leavesDone = 0;
  #stepsMade = 0;
  /** What each further period takes and does; 0: not known. */
  #periodNs = 0;
  #leaves = 0;
  #steps = 0;

  constructor(machine: Machine, lock: VirtualLock, thread: VirtualThread) {
    this.#machine = machine;
    this.#lock = lock;
    this.#thread = thread;
    this.#words = new Int32Array(lock.state.words.values.length / INTS_PER_WORD);
  }

  /** An offer begins. Counts those that would be like the last, and moves the clock over them. */
  begin(): void {
    const machine = this.#machine;
    const thread = this.#thread;
    const { actorChanges } = this.#lock.state;
    const changed = this.#look();
    if (changed || actorChanges !== this.#actorChanges) {
      this.#actorChanges = actorChanges;
      this.#periodNs = 0;
    } else if (machine.commotion === this.#commotion && !this.#late) {
      this.#periodNs = machine.nowNs - this.#atNs;
      this.#leaves = thread.leavesDone - this.#leavesDone;
      this.#steps = thread.stepsMade - this.#stepsMade;
    }
    // One that comes late, the first or after a long interrupt, takes longer than those after it.
    this.#late = thread.lateNs > 0 || machine.isCold(thread, 'step');
    if (this.#periodNs > 0 && !this.#late) {
      const times = machine.skip(this.#periodNs);
      this.#lock.books.offered(times);
      thread.leavesDone += times * this.#leaves;
      thread.stepsMade += times * this.#steps;
      // What it does in each of them it is as practised in as after the last.
      for (const doing of DONE_IN_OFFERS) {
        const lastNs = thread.lastDidNs[doing];
        if (lastNs !== undefined && lastNs > this.#atNs) thread.lastDidNs[doing] = lastNs + times * this.#periodNs;
      }
    }
    this.#commotion = machine.commotion;
    this.#atNs = machine.nowNs;
    this.#leavesDone = thread.leavesDone;
    this.#stepsMade = thread.stepsMade;
  }

  /** Notes the words. Returns whether one has changed. */
  #look(): boolean {
    const { values } = this.#lock.state.words;
    const words = this.#words;
    let changed = false;
    for (let i = 0; i < words.length; i++) {
      const value = values[i * INTS_PER_WORD] as number;
      if (words[i] !== value) changed = true;
      words[i] = value;
    }
    return changed;
  }
}
