/** The threads of a CPU that wait for it, and the rule by which one has it next. */
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Profile } from './profile.ts';
import { CompletelyFairQueue } from './run-queue-cfs.ts';
import { EarliestDeadlineQueue } from './run-queue-eevdf.ts';

/**
 * Virtual times are on a clock of the queue's own, which goes as its threads run. The thread that has the CPU is not in the queue: it is the `current`
 * one, null if none has it, and `ranNs` is what it has run since that was last counted.
 */
export interface RunQueue {
  /** How many wait. */
  readonly length: number;
  /**
   * Puts a thread that wakes, or comes from another CPU, on this queue's clock.
   *
   * @param from the queue of the CPU on which it ran last
   */
  place(thread: VirtualThread, from: RunQueue, current: VirtualThread | null, ranNs: number): void;
  /** A thread that was placed waits, or one that had the CPU. */
  add(thread: VirtualThread): void;
  /** Whether a thread that has just been added takes the CPU from the one that has it. */
  displaces(thread: VirtualThread, current: VirtualThread, ranNs: number): boolean;
  /** Whether the one that has the CPU gives it to one that waits, now that somebody asks. */
  givesWay(current: VirtualThread, ranNs: number): boolean;
  /** Takes out who has the CPU next; undefined if nobody waits. */
  take(): VirtualThread | undefined;
  /** Takes one out that goes to another CPU, if one may. */
  takeAway(mayGo: (thread: VirtualThread) => boolean): VirtualThread | undefined;
  /** A thread is given the CPU. */
  begin(thread: VirtualThread): void;
  /** The one that has it has run. */
  count(current: VirtualThread, ranNs: number): void;
  /** It falls asleep, or ends; what it ran has been counted. */
  leave(current: VirtualThread): void;
}

/** The kind that a profile says. */
export function runQueueOf(scheduler: Profile['scheduler']): RunQueue {
  const { fairness } = scheduler;
  return fairness.kind === 'cfs' ? new CompletelyFairQueue(fairness) : new EarliestDeadlineQueue(scheduler);
}
