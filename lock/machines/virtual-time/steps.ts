/**
 * Policies step by step in virtual time: what a policy yields is looked at, paid for by the machine, and then performed, all of it at
 * that one moment. A policy that does not work is stopped here, and named with the steps it had made.
 */
import { NOT_EQUAL, type Steps, WOKEN } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Machine } from './machine.ts';
import { OP, type VirtualMemory } from './memory.ts';
import { resume } from './resume.ts';
import { SimulationError } from './simulation-error.ts';
import { PAYING, type VirtualThread } from './thread.ts';
import { cutShort } from './work.ts';

/** A policy may spin; this is longer than any spinning that leads anywhere. */
const MAX_STEPS_WITHOUT_SLEEP = 10_000_000;

/**
 * Runs a piece of a policy on: to its end, or to where the thread has to wait, for its time or asleep. All that several steps in a row
 * need is looked up once: most of a simulation is this loop.
 *
 * @param paid whether the step that is written down has been paid for
 * @returns whether the piece is over
 */
export function runPiece(machine: Machine, thread: VirtualThread, paid: boolean): boolean {
  const piece = thread.piece as Steps<unknown>;
  const memory = thread.memory as VirtualMemory;
  const { recorder } = thread.lock as VirtualLock;
  const { atomicNs, futexCallNs, lineNs } = machine.costs;
  // By itself: who takes a cache line meanwhile has it when the first step comes.
  if (thread.pieceNs > 0) {
    const ns = thread.pieceNs;
    thread.pieceNs = 0;
    if (!machine.pay(thread, ns)) return false;
  }
  // Once, and not at each step: a thread that has slept in the middle of a piece comes here anew.
  let coldNs = machine.coldNs(thread, 'step');
  for (let performs = paid; ; performs = true) {
    if (performs) {
      if (memory.op === OP.wait && lineNs > 0 && !thread.looks) {
        thread.looks = true;
        if (!machine.pay(thread, linesNs(machine, thread, memory))) {
          thread.paying = PAYING.step;
          return false;
        }
      }
      thread.looks = false;
      const moreNs = perform(machine, thread, memory);
      if (moreNs < 0 || (moreNs > 0 && !machine.pay(thread, moreNs))) return false;
    }
    if (recorder !== null) recorder.wakes();
    if (!nextStep(machine, thread, piece, memory)) {
      thread.piece = null;
      return true;
    }
    const costNs =
      memory.op === OP.notify
        ? futexCallNs + coldCallNs(machine, thread)
        : memory.op === OP.wait
          ? wayInNs(machine, thread) + machine.coldNs(thread, 'wait')
          : atomicNs;
    const firstNs = coldNs + (memory.op === OP.wait ? 0 : linesNs(machine, thread, memory));
    coldNs = 0;
    if (!machine.pay(thread, firstNs + costNs)) {
      thread.paying = PAYING.step;
      return false;
    }
  }
}

/** What the cache lines cost that a step takes from another CPU now. A wait takes them when the kernel looks, not on its way there. */
function linesNs({ costs }: Machine, thread: VirtualThread, { words, op, word }: VirtualMemory): number {
  return costs.lineNs === 0 ? 0 : costs.lineNs * words.fetch(op, word, thread.cpu);
}

/**
 * The part of a wait that comes before the kernel compares the word: the way into it. The rest counts only if that finds another: a thread that was not
 * put to sleep has still to come back before it can take a lock that was free at that moment, and mostly is no more; of one that sleeps it is a part of
 * the time it takes to wake.
 */
function wayInNs({ costs, nowNs }: Machine, thread: VirtualThread): number {
  if (thread.sleptAtNs < 0) thread.sleptAtNs = nowNs;
  const { contention, futexCallNs, futexWaitNs } = costs;
  const waitNs = contention?.waitNs() ?? futexWaitNs;
  const inNs = Math.floor(contention === undefined ? futexCallNs / 2 : contention.looksAfter * waitNs);
  thread.wayOutNs = Math.max(0, waitNs - inNs);
  return inNs;
}

/** What a call that wakes takes more by having become unusual. Those were measured as they are held up, too. */
function coldCallNs(machine: Machine, thread: VirtualThread): number {
  const coldNs = machine.coldOfferNs(thread);
  thread.heldUpFromNs = coldNs > 0 ? Infinity : machine.nowNs;
  return coldNs;
}

/** Runs the policy to its next step. Returns false if the piece is over. */
function nextStep(machine: Machine, thread: VirtualThread, piece: Steps<unknown>, memory: VirtualMemory): boolean {
  let over: boolean;
  machine.countStep();
  try {
    over = resume(piece, thread.result).done === true;
  } catch (error) {
    throw failure(thread, `throws: ${error instanceof Error ? error.message : error}`);
  }
  if (over) {
    if (memory.op !== OP.none) throw failure(thread, 'makes a step it does not yield');
    return false;
  }
  thread.stepsMade++;
  if (memory.op === OP.none) throw failure(thread, 'yields what is no step');
  if (++thread.stepsSinceSleep > MAX_STEPS_WITHOUT_SLEEP) {
    throw failure(thread, `makes ${MAX_STEPS_WITHOUT_SLEEP} steps without an end or a sleep`);
  }
  return true;
}

/** Performs the step that is written down. Returns what is still to pay for it; -1 if the thread sleeps. */
function perform(machine: Machine, thread: VirtualThread, memory: VirtualMemory): number {
  const { words, op } = memory;
  memory.op = OP.none;
  if (op === OP.notify) return notify(machine, thread, memory);
  if (op === OP.wait) {
    if (words.values[memory.word] !== memory.first) {
      thread.result = NOT_EQUAL;
      words.missedAtNs[memory.word] = machine.nowNs;
      return thread.wayOutNs;
    }
    thread.stepsSinceSleep = 0;
    thread.lock?.recorder?.sleeps();
    thread.sleepsOn = memory.word;
    words.sleepersOf(memory.word).add(thread);
    words.asleep++;
    // A time-out of before must not end this sleep.
    if (memory.second === Infinity) thread.sleepGeneration++;
    else machine.armTimer(thread, 0, Math.floor(memory.second));
    machine.fallAsleep(thread);
    return -1;
  }
  const before = words.values[memory.word];
  thread.result = memory.performAtomic(op);
  if (op !== OP.load && memory.word === words.breaker) {
    if (words.watchers.size > 0) cutShort(machine, words);
    const missed = op === OP.compareExchange && before !== memory.first;
    if (words.values[words.breaker] !== 0 && !missed) thread.lock?.recorder?.requests();
  }
  return 0;
}

/** Returns what is still to pay for it. */
function notify(machine: Machine, thread: VirtualThread, { words, word, first }: VirtualMemory): number {
  thread.result = 0;
  const sleepers = words.sleepersOf(word);
  let sleeper = sleepers.first;
  if (sleeper === null) {
    const { contention } = machine.costs;
    const isMet = contention !== undefined && (words.missedAtNs[word] as number) > thread.heldUpFromNs;
    return isMet ? contention.heldUpNs() : 0;
  }
  let woken = 0;
  let ns = machine.coldNs(thread, 'wake');
  for (; sleeper !== null && woken < first; sleeper = sleepers.first) {
    woken++;
    ns += machine.wake(sleeper, WOKEN, thread) ?? machine.costs.futexWakeNs;
  }
  thread.result = woken;
  return ns;
}

function failure(thread: VirtualThread, what: string): SimulationError {
  return new SimulationError(
    `policy «${thread.lock?.state.label}»: ${thread.name} ${what}, after ${thread.stepsMade} steps of its own`,
  );
}
