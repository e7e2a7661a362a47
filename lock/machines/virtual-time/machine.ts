/**
 * The machine that runs policies in virtual time: a clock, a queue of events, and threads that pay for what they do. Whose turn it is on
 * which CPU is a scheduler's affair; sockets are unknown here.
 *
 * A thread runs ahead: as long as what it pays for ends before the next event, nobody can come between, and time simply moves on;
 * no event is made. So a step costs a few nanoseconds of real time and not a turn of the queue, and what is simulated is the
 * same to the nanosecond.
 *
 * What the steps of a policy do is in `steps.ts`, interpreter work in `work.ts`.
 *
 * All times are whole nanoseconds in doubles, exact up to 104 days: sums do not depend on the order in which they are made.
 */
import { TIMED_OUT } from '../../memory.ts';
import { EventQueue } from './event-queue.ts';
import { THEN, type VirtualLock } from './lock.ts';
import type { VirtualMemory } from './memory.ts';
import { resume } from './resume.ts';
import { SimulationError } from './simulation-error.ts';
import { runPiece } from './steps.ts';
import { OVER, PAYING, REQUEST, STATE, VirtualThread } from './thread.ts';
import { beginWork, LOOK, lookUp, mustOffer, stopWork, workOn } from './work.ts';

/** What things cost, in nanoseconds. */
export interface Costs {
  /** A load, a store, an exchange. */
  readonly atomicNs: number;
  /** What a step takes more for each cache line that another CPU had last. */
  readonly lineNs: number;
  /** An offer at a yield point by itself, which is made with the lock held. */
  readonly offerNs: number;
  /** A futex call that wakes, by itself. */
  readonly futexCallNs: number;
  /** And for each thread it wakes. */
  readonly futexWakeNs: number;
  /** A futex call that does not sleep, since the word is another. It looks after half of {@link futexCallNs}. */
  readonly futexWaitNs: number;
  /** How calls of two CPUs on one word hold each other up. Absent: not at all. */
  readonly contention?: Contention | undefined;
  /** What it takes more to do what the thread has not done since it slept for long: caches have forgotten the way. Absent: nothing. */
  readonly cold?: Cold | undefined;
  /**
   * How much later a timer fires than it was set to, drawn anew for each.
   *
   * @param timerKind 0 for the time-out of a futex
   */
  timerOvershootNs(timerKind: number, forNs: number): number;
}

/** What a wait that comes back at once and a call that wakes do to each other if they meet: both want the kernel's queue of sleepers. */
export interface Contention {
  /** Instead of {@link Costs.futexWaitNs}, drawn anew for each wait. */
  waitNs(): number;
  /** After which part of that the kernel looks at the word, from 0 to 1. */
  readonly looksAfter: number;
  /** What a call that wakes nobody takes more if a wait has found the word changed meanwhile, drawn anew for each. */
  heldUpNs(): number;
}

/** What a long sleep makes of what a thread does first after it. */
export interface Cold {
  /** What sleep is long. */
  readonly afterNs: number;
  /** How cold it is after this one, drawn anew for each: from 0 to 1, the share of sleeps after which it is no colder. */
  share(): number;
  /** What this takes more then. */
  extraNs(doing: Doing, share: number): number;
}

/** What a thread can be out of practice in. The machine knows the first four, the others are whose who makes calls. */
export const DOINGS = [
  'step',
  'wait',
  'wake',
  'offer',
  'work',
  'way',
  'recv',
  'send',
  'nothing',
  'poll',
  'zmqWay',
  'zmqSend',
] as const;
export type Doing = (typeof DOINGS)[number];

/** What a thread slept on that another wakes. Who writes to a connection, or to an eventfd, is taken to be about to sleep itself. */
export type WokenThrough = 'futex' | 'connection' | 'eventfd';

/** Gives CPUs to threads. */
export interface Scheduler {
  /**
   * A thread that slept can run again, or a new one runs for the first time.
   *
   * @param by the thread that wakes it, which runs; null for a timer, of which nothing else counts
   * @returns what it takes the waker; null: what such a call always does
   */
  wake(thread: VirtualThread, by: VirtualThread | null, through: WokenThrough): number | null;
  /** The running thread sleeps or has ended: its CPU is free. */
  leave(thread: VirtualThread): void;
  /** An event of the scheduler's own has come. */
  onEvent(what: number, generation: number): void;
}

/** Kinds of events: the machine's own, then those of schedulers, which number them from {@link FIRST_SCHEDULER_KIND}. */
const PAID = 0;
const TIMER = 1;
export const FIRST_SCHEDULER_KIND = 2;
/** An event says `subject * KINDS + kind`. */
export const KINDS = 8;

/** The subject of an event. */
export function subjectOf(what: number): number {
  return (what / KINDS) | 0;
}

/** Requests of a program between two moments of time. */
const MAX_REQUESTS_AT_ONCE = 1_000_000;

export class Machine {
  nowNs = 0;
  readonly events = new EventQueue();
  /** By number. */
  readonly threads: VirtualThread[] = [];
  readonly costs: Costs;
  /** Set by programs to end {@link run}. */
  stopped = false;
  /** Events that have come so far. */
  eventCount = 0;
  /** Events and steps so far, for whoever watches from another thread whether this one gets on. */
  readonly #pulse: Float64Array;
  #coldCalls = 0;
  /** How many of the events to come are the scheduler's own and lead to nothing by themselves. */
  housekeepingEvents = 0;
  #scheduler: Scheduler | null = null;
  #untilNs = 0;

  /** @param pulse two doubles, written as time goes on */
  constructor(costs: Costs, pulse: Float64Array = new Float64Array(2)) {
    this.costs = costs;
    this.#pulse = pulse;
  }

  /** Steps of policies made so far. */
  get steps(): number {
    return this.#pulse[1] as number;
  }

  set scheduler(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Whether no event is left that could change anything. */
  get onlyHousekeeping(): boolean {
    return this.events.size === this.housekeepingEvents;
  }

  /** Grows whenever an event comes or is made: while it stands, one thread has run alone and has touched no other. And with each call that is cold. */
  get commotion(): number {
    return this.eventCount + this.events.made + this.#coldCalls;
  }

  /** Makes a thread and lets it run. */
  start(name: string, program: ConstructorParameters<typeof VirtualThread>[2]): VirtualThread {
    const thread = new VirtualThread(this.threads.length, name, program);
    this.threads.push(thread);
    thread.state = STATE.ready;
    this.#schedulerOf().wake(thread, null, 'futex');
    return thread;
  }

  /**
   * Lets time pass.
   *
   * @returns `stopped` by a program; `time`: it is `untilNs`; `stuck`: nothing can ever happen any more
   * @throws SimulationError if a policy fails or does not end
   */
  run(untilNs: number): 'stopped' | 'time' | 'stuck' {
    this.#untilNs = untilNs;
    this.stopped = false;
    const { events } = this;
    const scheduler = this.#schedulerOf();
    while (!this.stopped) {
      const atNs = events.nextNs;
      if (atNs > untilNs || atNs === Infinity) {
        // A thread may have run up to that time by itself, not past it.
        if (untilNs !== Infinity) this.nowNs = untilNs;
        return atNs === Infinity ? 'stuck' : 'time';
      }
      events.pop();
      this.nowNs = atNs;
      this.#pulse[0] = ++this.eventCount;
      const { what, generation } = events;
      const kind = what % KINDS;
      if (kind >= FIRST_SCHEDULER_KIND) {
        scheduler.onEvent(what, generation);
        continue;
      }
      const thread = this.threads[subjectOf(what)] as VirtualThread;
      if (kind === PAID) {
        if (generation === thread.generation) this.#go(thread);
      } else if (generation === thread.sleepGeneration && thread.state === STATE.sleeping) {
        this.wake(thread, thread.sleepsOn >= 0 ? TIMED_OUT : OVER, null);
      }
    }
    return 'stopped';
  }

  /**
   * Ends the sleep of a thread.
   *
   * @param result what it is resumed with
   * @param by the thread that wakes it, which runs; null for a timer
   * @param through what the scheduler goes by: whether who is woken comes to the CPU of its waker, and displaces that
   * @returns what it takes the waker; null: what such a call always does
   */
  wake(
    thread: VirtualThread,
    result: number,
    by: VirtualThread | null,
    through: WokenThrough = 'futex',
  ): number | null {
    if (thread.sleepsOn >= 0) {
      const { words } = thread.memory as VirtualMemory;
      words.sleepersOf(thread.sleepsOn).remove(thread);
      words.asleep--;
      thread.sleepsOn = -1;
    }
    const { cold } = this.costs;
    if (cold !== undefined) {
      thread.sleptNs += this.nowNs - thread.asleepSinceNs;
      if (thread.sleptNs - thread.coldShareAtNs > cold.afterNs) {
        thread.coldShareAtNs = thread.sleptNs;
        thread.coldShare = cold.share();
      }
    }
    thread.sleepGeneration++;
    thread.result = result;
    thread.state = STATE.ready;
    return this.#schedulerOf().wake(thread, by, through);
  }

  /** The thread has a CPU from now on. Called by the scheduler, which must not call it while another thread is running ahead. */
  resume(thread: VirtualThread): void {
    thread.state = STATE.running;
    const owed = thread.owedNs;
    thread.owedNs = 0;
    if (thread.paying === PAYING.work ? workOn(this, thread) : owed === 0 || this.pay(thread, owed)) this.#go(thread);
  }

  /** The thread has none any more. What it has paid for stays paid. */
  pause(thread: VirtualThread): void {
    thread.state = STATE.ready;
    thread.generation++;
    if (thread.paying === PAYING.work) stopWork(this, thread);
    else thread.owedNs = thread.paidAtNs - this.nowNs;
  }

  /** How long nothing happens but what the thread that runs does; what ends at the moment of the next event comes after it. */
  get quietNs(): number {
    return Math.min(this.events.nextNs, this.#untilNs) - this.nowNs;
  }

  /** Moves the clock over what need not be done one by one. */
  skip(ns: number): void {
    this.nowNs += ns;
  }

  #schedulerOf(): Scheduler {
    if (this.#scheduler === null) throw new Error('the machine has no scheduler');
    return this.#scheduler;
  }

  /** Runs a thread on from the moment at which it has paid, until something takes longer than to the next event. */
  #go(thread: VirtualThread): void {
    let sinceNs = -1;
    let requests = 0;
    for (;;) {
      const { paying } = thread;
      thread.paying = PAYING.plain;
      if (paying === PAYING.work) {
        const found = lookUp(thread);
        if (found === LOOK.goesOn || (found === LOOK.mustOffer && this.#offer(thread))) {
          if (!beginWork(this, thread)) return;
          continue;
        }
      }

      if (thread.piece !== null) {
        if (!runPiece(this, thread, paying === PAYING.step)) return;
        thread.result = 0;
        const then = (thread.lock as VirtualLock).end();
        if (then === THEN.piece) {
          this.#beginPiece(thread);
          continue;
        }
        // What was begun before an offer is done before the next look.
        if (then === THEN.work && thread.leavesLeft > 0) {
          if (!beginWork(this, thread)) return;
          continue;
        }
      }

      const request = resume(thread.program, thread.result);
      if (request.done === true) {
        thread.state = STATE.ended;
        this.#schedulerOf().leave(thread);
        return;
      }
      if (this.nowNs !== sinceNs) {
        sinceNs = this.nowNs;
        requests = 0;
      } else if (++requests > MAX_REQUESTS_AT_ONCE) {
        throw new SimulationError(`${thread.name} does not get on`);
      }
      switch (request.value) {
        case REQUEST.run:
          thread.result = 0;
          if (!this.pay(thread, thread.amountNs)) return;
          break;
        case REQUEST.steps:
          this.#beginPiece(thread);
          break;
        case REQUEST.work:
          if (thread.leavesLeft === 0) break;
          if (mustOffer(thread) && !this.#offer(thread)) break;
          if (!beginWork(this, thread)) return;
          break;
        case REQUEST.nothing:
          break;
        case REQUEST.sleepFor:
          this.armTimer(thread, thread.timerKind, thread.amountNs);
          this.fallAsleep(thread);
          return;
        default:
          this.fallAsleep(thread);
          return;
      }
    }
  }

  #beginPiece(thread: VirtualThread): void {
    thread.stepsSinceSleep = 0;
    thread.result = 0;
  }

  /** Returns whether that is over already, and the thread works on. */
  #offer(thread: VirtualThread): boolean {
    if ((thread.lock as VirtualLock).offer() === REQUEST.nothing) return true;
    this.#beginPiece(thread);
    thread.pieceNs = this.costs.offerNs;
    return false;
  }

  /** Lets time pass for the thread. Returns whether that is over already, or else will be an event. */
  pay(thread: VirtualThread, ns: number): boolean {
    if (this.passes(ns)) return true;
    this.plan(thread, this.nowNs + ns);
    return false;
  }

  /** Moves the clock on, if nobody can come between. Returns whether it did. */
  passes(ns: number): boolean {
    const end = this.nowNs + ns;
    if (end >= this.events.nextNs || end > this.#untilNs || this.stopped) return false;
    this.nowNs = end;
    return true;
  }

  /** The thread, which is about to sleep, is woken when the time is over, and as late as such a timer is. */
  armTimer(thread: VirtualThread, timerKind: number, forNs: number): void {
    const atNs = this.nowNs + forNs + this.costs.timerOvershootNs(timerKind, forNs);
    this.events.push(atNs, thread.number * KINDS + TIMER, ++thread.sleepGeneration);
  }

  /**
   * What it takes a thread more to do this now, if it has slept for long since it last did, be it in many short sleeps, as one that is woken for
   * nothing again and again. Not if that was long ago: one that works all the time keeps its CPU's caches.
   */
  coldNs(thread: VirtualThread, doing: Doing): number {
    const { cold } = this.costs;
    if (cold === undefined) return 0;
    const isCold = thread.sleptNs - (thread.didAtNs.get(doing) ?? -Infinity) > cold.afterNs;
    thread.didAtNs.set(doing, thread.sleptNs);
    return isCold ? cold.extraNs(doing, thread.coldShare) : 0;
  }

  /**
   * What a call that wakes takes a thread more that was awake for long without making one: who offers the lock makes none as long as nobody waits, and the
   * first time somebody does the lock is free for the longer. After a sleep it is cold for another reason, {@link coldNs}.
   */
  coldOfferNs(thread: VirtualThread): number {
    const { cold } = this.costs;
    if (cold === undefined) return 0;
    const sleptNs = thread.sleptNs - thread.sleptWhenCalledNs;
    const isCold = sleptNs <= cold.afterNs && this.nowNs - thread.calledAtNs - sleptNs > cold.afterNs;
    thread.callsAt(this.nowNs);
    if (!isCold) return 0;
    this.#coldCalls++;
    return cold.extraNs('offer', cold.share());
  }

  /** A policy makes a step. */
  countStep(): void {
    (this.#pulse[1] as number)++;
  }

  /** Lets an event come when the thread has paid; instead of the one that was planned before. */
  plan(thread: VirtualThread, atNs: number): void {
    thread.paidAtNs = atNs;
    thread.generation++;
    if (atNs !== Infinity) this.events.push(atNs, thread.number * KINDS + PAID, thread.generation);
  }

  /** The thread, which runs, sleeps from now on. */
  fallAsleep(thread: VirtualThread): void {
    thread.state = STATE.sleeping;
    thread.asleepSinceNs = this.nowNs;
    this.#schedulerOf().leave(thread);
  }
}
