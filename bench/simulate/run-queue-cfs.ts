/**
 * A run queue of Linux's CFS (2.6.23 to 6.5): who has run least is next. A thread that wakes is thought to have missed some time, and
 * displaces one that has had much more than it.
 */
import TinyQueue from 'tinyqueue';
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Profile } from './profile.ts';
import type { RunQueue } from './run-queue.ts';

type Costs = Extract<Profile['scheduler']['fairness'], { kind: 'cfs' }>;

export class CompletelyFairQueue implements RunQueue {
  readonly #costs: Costs;
  /** The one with the least virtual run time first; of those with the same, who came first. */
  readonly #waiting = new TinyQueue<VirtualThread>([], (a, b) =>
    a.virtualRuntimeNs === b.virtualRuntimeNs ? a.queuedOrder - b.queuedOrder : a.virtualRuntimeNs - b.virtualRuntimeNs,
  );
  #order = 0;
  /** Only grows: where threads that come to this queue begin. */
  #clockNs = 0;

  constructor(costs: Costs) {
    this.#costs = costs;
  }

  get length(): number {
    return this.#waiting.length;
  }

  place(thread: VirtualThread, from: CompletelyFairQueue): void {
    const missedNs = this.#clockNs - this.#costs.sleeperCreditNs;
    thread.virtualRuntimeNs = Math.max(thread.virtualRuntimeNs + this.#clockNs - from.#clockNs, missedNs);
  }

  add(thread: VirtualThread): void {
    thread.queuedOrder = this.#order++;
    this.#waiting.push(thread);
  }

  displaces(thread: VirtualThread, current: VirtualThread, ranNs: number): boolean {
    return current.virtualRuntimeNs + ranNs - thread.virtualRuntimeNs > this.#costs.wakeupGranularityNs;
  }

  givesWay(current: VirtualThread, ranNs: number): boolean {
    const first = this.#waiting.peek();
    return first !== undefined && first.virtualRuntimeNs < current.virtualRuntimeNs + ranNs;
  }

  take(): VirtualThread | undefined {
    return this.#waiting.pop();
  }

  takeAway(mayGo: (thread: VirtualThread) => boolean): VirtualThread | undefined {
    const first = this.#waiting.peek();
    return first !== undefined && mayGo(first) ? this.#waiting.pop() : undefined;
  }

  begin(): void {}

  count(current: VirtualThread, ranNs: number): void {
    current.virtualRuntimeNs += ranNs;
    const first = this.#waiting.peek()?.virtualRuntimeNs ?? Infinity;
    this.#clockNs = Math.max(this.#clockNs, Math.min(current.virtualRuntimeNs, first));
  }

  leave(): void {}
}
