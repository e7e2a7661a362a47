/**
 * A run queue of Linux's EEVDF, as it is in kernel/sched/fair.c of 6.18, for threads of one weight. A thread is eligible that has run no
 * more than the mean of all; of those the one with the earliest deadline is next, and, asked to give way, stays until that deadline
 * while it is eligible (`RUN_TO_PARITY`).
 *
 * How far behind the mean a thread was when it fell asleep, its lag, it is when it wakes (`PLACE_LAG`). One that was ahead stays in the
 * queue though it sleeps, until it would be next (`DELAY_DEQUEUE`): by then the others have caught up, and its lag is none. Woken
 * before that it is where it was, and who woke it has run meanwhile.
 */
import { STATE, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Profile } from './profile.ts';
import type { RunQueue } from './run-queue.ts';

export class EarliestDeadlineQueue implements RunQueue {
  readonly #sliceNs: number;
  readonly #maxLagNs: number;
  readonly #waiting: VirtualThread[] = [];
  /** Asleep, but not gone. */
  readonly #delayed: VirtualThread[] = [];
  /** The mean when there was one last. */
  #clockNs = 0;

  constructor({ sliceNs, tickNs }: Pick<Profile['scheduler'], 'sliceNs' | 'tickNs'>) {
    this.#sliceNs = sliceNs;
    this.#maxLagNs = Math.max(2 * sliceNs, tickNs);
  }

  get length(): number {
    return this.#waiting.length;
  }

  place(thread: VirtualThread, _from: RunQueue, current: VirtualThread | null, ranNs: number): void {
    if (thread.isDelayed) {
      // Without what the current one has run: the kernel counts that after it has placed who never left.
      const isAhead = this.#meanNs(current, 0) <= thread.virtualRuntimeNs;
      this.#forgetDelayed(thread);
      if (isAhead) return;
      thread.virtualRuntimeNs = this.#meanNs(current, 0);
    } else {
      const others = this.#waiting.length + this.#delayed.length + (current === null ? 0 : 1);
      // It moves the mean itself.
      const lagNs = others === 0 ? 0 : Math.trunc((thread.lagNs * (others + 1)) / others);
      thread.virtualRuntimeNs = this.#meanNs(current, ranNs) - lagNs;
    }
    thread.virtualDeadlineNs = thread.virtualRuntimeNs + this.#sliceNs;
  }

  add(thread: VirtualThread): void {
    this.#waiting.push(thread);
  }

  displaces(thread: VirtualThread, current: VirtualThread, ranNs: number): boolean {
    return this.#best(current, ranNs) === thread;
  }

  givesWay(current: VirtualThread, ranNs: number): boolean {
    return this.#next(current, ranNs) !== current;
  }

  take(): VirtualThread | undefined {
    const next = this.#next(null, 0);
    if (next !== undefined) remove(this.#waiting, next);
    return next;
  }

  takeAway(mayGo: (thread: VirtualThread) => boolean): VirtualThread | undefined {
    const thread = this.#waiting.find(mayGo);
    if (thread === undefined) return undefined;
    thread.lagNs = this.#lagNs(thread, null, 0);
    remove(this.#waiting, thread);
    return thread;
  }

  begin(thread: VirtualThread): void {
    thread.protectedUntilNs = thread.virtualDeadlineNs;
  }

  count(current: VirtualThread, ranNs: number): void {
    current.virtualRuntimeNs += ranNs;
    current.virtualDeadlineNs = this.#deadlineNs(current, 0);
    this.#clockNs = this.#meanNs(current, 0);
  }

  leave(current: VirtualThread): void {
    current.lagNs = this.#lagNs(current, current, 0);
    if (current.lagNs >= 0 || current.state === STATE.ended) return;
    current.isDelayed = true;
    this.#delayed.push(current);
  }

  /** As `pick_next_entity`: one that sleeps and would be next is gone, and has no lag. */
  #next(current: VirtualThread | null, ranNs: number): VirtualThread | undefined {
    for (;;) {
      const next = this.#best(current, ranNs);
      if (next?.isDelayed !== true) return next;
      next.lagNs = Math.min(0, this.#lagNs(next, current, ranNs));
      this.#forgetDelayed(next);
    }
  }

  /** As `pick_eevdf`. */
  #best(current: VirtualThread | null, ranNs: number): VirtualThread | undefined {
    const meanNs = this.#meanNs(current, ranNs);
    let best: VirtualThread | undefined;
    if (current !== null && current.virtualRuntimeNs + ranNs <= meanNs) {
      if (current.virtualRuntimeNs + ranNs < current.protectedUntilNs) return current;
      best = current;
    }
    let bestNs = best === undefined ? Infinity : this.#deadlineNs(best, ranNs) + 1;
    for (const threads of [this.#waiting, this.#delayed]) {
      for (const thread of threads) {
        if (thread.virtualRuntimeNs > meanNs || thread.virtualDeadlineNs >= bestNs) continue;
        best = thread;
        bestNs = thread.virtualDeadlineNs;
      }
    }
    return best;
  }

  #forgetDelayed(thread: VirtualThread): void {
    thread.isDelayed = false;
    remove(this.#delayed, thread);
  }

  /** Whoever has run until its deadline is given another slice: in the kernel at ticks, too. */
  #deadlineNs({ virtualRuntimeNs, virtualDeadlineNs }: VirtualThread, ranNs: number): number {
    const nowNs = virtualRuntimeNs + ranNs;
    return nowNs < virtualDeadlineNs ? virtualDeadlineNs : nowNs + this.#sliceNs;
  }

  #lagNs(thread: VirtualThread, current: VirtualThread | null, ranNs: number): number {
    const lagNs = this.#meanNs(current, ranNs) - thread.virtualRuntimeNs;
    return Math.min(this.#maxLagNs, Math.max(-this.#maxLagNs, lagNs));
  }

  /** What all of this queue have run, in the mean. From one of them on: so the sum stays exact. */
  #meanNs(current: VirtualThread | null, ranNs: number): number {
    const count = this.#waiting.length + this.#delayed.length + (current === null ? 0 : 1);
    const some = current ?? this.#waiting[0] ?? this.#delayed[0];
    if (some === undefined) return this.#clockNs;
    const fromNs = some.virtualRuntimeNs;
    let sumNs = current === null ? 0 : ranNs;
    for (const thread of this.#waiting) sumNs += thread.virtualRuntimeNs - fromNs;
    for (const thread of this.#delayed) sumNs += thread.virtualRuntimeNs - fromNs;
    return fromNs + Math.floor(sumNs / count);
  }
}

function remove(threads: VirtualThread[], thread: VirtualThread): void {
  threads.splice(threads.indexOf(thread), 1);
}
