/**
 * Offers that nobody takes. Under a policy that counts ticks a CPU thread offers the lock every few microseconds, and mostly nobody
 * wants it. When the thread has been alone from one offer to the next (no event came or was made) and left the words as it found them,
 * it will go on so until the next event: the clock is moved on by whole periods, and what was done in them is counted.
 *
 * Only for policies that come with Convoy: another might count its own offers.
 */
import { INTS_PER_WORD } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { VirtualThread } from './thread.ts';

export class Offers {
  readonly #machine: Machine;
  readonly #lock: VirtualLock;
  readonly #thread: VirtualThread;
  /** As they were at the last offer. */
  readonly #words: Int32Array;
  #commotion = -1;
  #atNs = 0;
  #leavesDone = 0;
  #stepsMade = 0;

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
    const changed = this.#look();
    if (!changed && machine.commotion === this.#commotion) {
      const times = machine.skip(machine.nowNs - this.#atNs);
      this.#lock.books.offered(times);
      thread.leavesDone += times * (thread.leavesDone - this.#leavesDone);
      thread.stepsMade += times * (thread.stepsMade - this.#stepsMade);
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
