/**
 * Interpreter work in virtual time: leaves between two yield points, as in `lock/interpreter.ts`, which are not simulated one by one. A thread
 * works until the next moment at which something can be different: its work is done, its ticks are used up, or the word it looks
 * at was set, and then to the end of the leaf it is in.
 */
import { ticksAfterOffer } from '../../books.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { VirtualWords } from './memory.ts';
import { PAYING, STATE, type VirtualThread } from './thread.ts';

/** What a thread that works finds at a yield point. */
export const LOOK = { goesOn: 0, mustOffer: 1, allDone: 2 } as const;

/** A look at the yield point in front of the first leaf. */
export function mustOffer(thread: VirtualThread): boolean {
  const lock = thread.lock as VirtualLock;
  const { words } = lock.state;
  if (words.breaker >= 0) return words.values[words.breaker] !== 0;
  return lock.everyTicks > 0 && lock.books.spend(lock.leafTicks, lock.everyTicks);
}

/** How many leaves from now on a look finds the ticks used up: it is the first for which they do not suffice. */
export function looksToOffer(lock: VirtualLock, ticksLeft: number): number {
  return Math.floor(ticksLeft / lock.leafTicks) + 1;
}

/** What is left of the ticks after the offer that comes then. */
export function ticksAfterLooks(lock: VirtualLock, ticksLeft: number, looks: number): number {
  return ticksAfterOffer(ticksLeft - looks * lock.leafTicks, lock.everyTicks);
}

/** Works to the next look that matters. Returns whether that is over already. */
export function beginWork(machine: Machine, thread: VirtualThread): boolean {
  const lock = thread.lock as VirtualLock;
  thread.workedNs = 0;
  thread.offersAtLook = false;
  thread.leavesToLook = thread.leavesLeft;
  if (lock.everyTicks > 0) {
    const { ticksLeft } = lock.books;
    const looks = looksToOffer(lock, ticksLeft);
    if (looks < thread.leavesLeft) {
      thread.leavesToLook = looks;
      thread.offersAtLook = true;
      lock.books.ticksLeft = ticksAfterLooks(lock, ticksLeft, looks);
    } else {
      lock.books.ticksLeft = ticksLeft - (thread.leavesLeft - 1) * lock.leafTicks;
    }
  }
  thread.paying = PAYING.work;
  return workOn(machine, thread);
}

/** The thread works, from now on. Returns whether that is over already. */
export function workOn(machine: Machine, thread: VirtualThread): boolean {
  const { words, leafNs } = (thread.lock as VirtualLock).state;
  if (words.breaker >= 0 && words.values[words.breaker] !== 0) {
    thread.leavesToLook = Math.min(thread.leavesToLook, Math.floor(thread.workedNs / leafNs) + 1);
  }
  if (machine.pay(thread, thread.leavesToLook * leafNs - thread.workedNs)) return true;
  thread.workingSinceNs = machine.nowNs;
  if (words.breaker >= 0) words.watchers.add(thread.number);
  return false;
}

/** The thread was taken off its CPU in the midst of work. */
export function stopWork(machine: Machine, thread: VirtualThread): void {
  thread.workedNs += machine.nowNs - thread.workingSinceNs;
  const { words } = (thread.lock as VirtualLock).state;
  if (words.breaker >= 0) words.watchers.delete(thread.number);
}

/** The thread has come to a look. Returns what that finds. */
export function lookUp(thread: VirtualThread): number {
  const { words } = (thread.lock as VirtualLock).state;
  if (words.breaker >= 0) words.watchers.delete(thread.number);
  thread.leavesLeft -= thread.leavesToLook;
  thread.leavesDone += thread.leavesToLook;
  thread.workedNs = 0;
  if (thread.leavesLeft <= 0) {
    thread.result = 0;
    return LOOK.allDone;
  }
  return thread.offersAtLook || (words.breaker >= 0 && words.values[words.breaker] !== 0)
    ? LOOK.mustOffer
    : LOOK.goesOn;
}

/** The breaker was written: who works on looks at it at the end of the leaf he is in. */
export function cutShort(machine: Machine, words: VirtualWords): void {
  if (words.values[words.breaker] === 0) return;
  for (const number of words.watchers) {
    const worker = machine.threads[number] as VirtualThread;
    const leafNs = worker.lock?.state.leafNs ?? 0;
    const worked = worker.workedNs + machine.nowNs - worker.workingSinceNs;
    const leaves = Math.floor(worked / leafNs) + 1;
    if (leaves >= worker.leavesToLook) continue;
    worker.leavesToLook = leaves;
    machine.plan(worker, machine.nowNs + leaves * leafNs - worked);
  }
}

/** Leaves of work done so far, those of the work it is in included. */
export function leavesDone(machine: Machine, thread: VirtualThread): number {
  const working = thread.state === STATE.running && thread.paying === PAYING.work;
  if (!working && thread.workedNs === 0) return thread.leavesDone;
  const worked = thread.workedNs + (working ? machine.nowNs - thread.workingSinceNs : 0);
  return thread.leavesDone + Math.floor(worked / (thread.lock?.state.leafNs ?? Infinity));
}
