/**
 * The machine that runs policies in virtual time: a clock, a queue of events, and threads that pay for what they do. Whose turn it is on
 * which CPU is a scheduler's affair; sockets are unknown here.
 *
 * A thread runs ahead: as long as what it pays for ends before the next event, nobody can come between, and time simply moves on;
 * no event is made. So a step costs a few nanoseconds of real time and not a turn of the queue, and what is simulated is the
 * same to the nanosecond.
 *
 * Interpreter work is not simulated leaf by leaf. A thread works until the next moment at which something can be different:
 * its work is done, its ticks are used up, or the word it looks at was set, and then to the end of the leaf it is in.
 *
 * All times are whole nanoseconds in doubles, exact up to 104 days: sums do not depend on the order in which they are made.
 */
import { NOT_EQUAL, TIMED_OUT, WOKEN } from '../../memory.ts';
import { EventQueue } from './event-queue.ts';
import { THEN, type VirtualLock } from './lock.ts';
import { OP, type VirtualMemory } from './memory.ts';
import { OVER, PAYING, REQUEST, STATE, VirtualThread } from './thread.ts';

/** What things cost, in nanoseconds. */
export interface Costs {
  /** A load, a store, an exchange. */
  readonly atomicNs: number;
  /** A futex call by itself, whether it sleeps, wakes or neither. */
  readonly futexCallNs: number;
  /** And for each thread it wakes. */
  readonly futexWakeNs: number;
  /**
   * How much later a timer fires than it was set to, drawn anew for each.
   *
   * @param timerKind 0 for the time-out of a futex
   */
  timerOvershootNs(timerKind: number, forNs: number): number;
}

/** Gives CPUs to threads. */
export interface Scheduler {
  /**
   * A thread that slept can run again, or a new one runs for the first time.
   *
   * @param by the thread that wakes it, which runs; null for a timer
   */
  wake(thread: VirtualThread, by: VirtualThread | null): void;
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

/** What a thread that works finds at a yield point. */
const LOOK = { goesOn: 0, mustOffer: 1, allDone: 2 } as const;

/** A policy may spin; this is longer than any spinning that leads anywhere. */
const MAX_STEPS_WITHOUT_SLEEP = 10_000_000;
/** Requests of a program between two moments of time. */
const MAX_REQUESTS_AT_ONCE = 1_000_000;

/** A simulation that cannot go on; the message names the policy and says how many steps it had made. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}

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

  /** Grows whenever an event comes or is made: while it stands, one thread has run alone and has touched no other. */
  get commotion(): number {
    return this.eventCount + this.events.made;
  }

  /** Makes a thread and lets it run. */
  start(name: string, program: ConstructorParameters<typeof VirtualThread>[2]): VirtualThread {
    const thread = new VirtualThread(this.threads.length, name, program);
    this.threads.push(thread);
    thread.state = STATE.ready;
    this.#schedulerOf().wake(thread, null);
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
      const thread = this.threads[(what - kind) / KINDS] as VirtualThread;
      if (kind === PAID) {
        if (generation === thread.generation) this.#go(thread);
      } else if (generation === thread.sleepGeneration && thread.state === STATE.sleeping) {
        this.wake(thread, thread.sleepsOn >= 0 ? TIMED_OUT : OVER, null);
      }
    }
    return 'stopped';
  }

  /** Ends the sleep of a thread. */
  wake(thread: VirtualThread, result: number, by: VirtualThread | null): void {
    if (thread.sleepsOn >= 0) {
      thread.memory?.words.sleepersOf(thread.sleepsOn).delete(thread.number);
      thread.sleepsOn = -1;
    }
    thread.sleepGeneration++;
    thread.result = result;
    thread.state = STATE.ready;
    this.#schedulerOf().wake(thread, by);
  }

  /** The thread has a CPU from now on. Called by the scheduler, which must not call it while another thread is running ahead. */
  resume(thread: VirtualThread): void {
    thread.state = STATE.running;
    const owed = thread.owedNs;
    thread.owedNs = 0;
    if (thread.paying === PAYING.work) this.#workOn(thread);
    else if (owed > 0) this.#plan(thread, this.nowNs + owed);
    else this.#go(thread);
  }

  /** The thread has none any more. What it has paid for stays paid. */
  pause(thread: VirtualThread): void {
    thread.state = STATE.ready;
    thread.generation++;
    if (thread.paying === PAYING.work) this.#stopWork(thread);
    else thread.owedNs = thread.paidAtNs - this.nowNs;
  }

  /** Leaves of work done so far, those of the work it is in included. */
  leavesDone(thread: VirtualThread): number {
    const working = thread.state === STATE.running && thread.paying === PAYING.work;
    if (!working && thread.workedNs === 0) return thread.leavesDone;
    const worked = thread.workedNs + (working ? this.nowNs - thread.workingSinceNs : 0);
    return thread.leavesDone + Math.floor(worked / (thread.lock?.state.leafNs ?? Infinity));
  }

  /**
   * Moves the clock over what would be the same again and again, while nothing else happens.
   *
   * @param periodNs how long it takes once
   * @returns how many times there was room for
   */
  skip(periodNs: number): number {
    const times = Math.floor((Math.min(this.events.nextNs, this.#untilNs) - this.nowNs) / periodNs) - 1;
    if (!(times > 0 && times < Infinity)) return 0;
    this.nowNs += times * periodNs;
    return times;
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
      if (paying === PAYING.step) {
        const more = this.#perform(thread);
        if (more < 0) return;
        if (more > 0) {
          if (!this.#pay(thread, more)) return;
          continue;
        }
      } else if (paying === PAYING.work) {
        const found = this.#lookUp(thread);
        if (found === LOOK.mustOffer) {
          this.#offer(thread);
        } else if (found === LOOK.goesOn) {
          if (!this.#beginWork(thread)) return;
          continue;
        }
      }

      if (thread.piece !== null) {
        if (this.#nextStep(thread)) {
          thread.paying = PAYING.step;
          const { op } = thread.memory as VirtualMemory;
          if (!this.#pay(thread, op >= OP.wait ? this.costs.futexCallNs : this.costs.atomicNs)) return;
          continue;
        }
        thread.result = 0;
        const then = (thread.lock as VirtualLock).end();
        if (then === THEN.piece) {
          this.#beginPiece(thread);
          continue;
        }
        // What was begun before an offer is done before the next look.
        if (then === THEN.work && thread.leavesLeft > 0) {
          if (!this.#beginWork(thread)) return;
          continue;
        }
      }

      const request = thread.program.next(thread.result);
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
          if (!this.#pay(thread, thread.amountNs)) return;
          break;
        case REQUEST.steps:
          this.#beginPiece(thread);
          break;
        case REQUEST.work:
          if (this.#mustOffer(thread)) this.#offer(thread);
          else if (thread.leavesLeft > 0 && !this.#beginWork(thread)) return;
          break;
        case REQUEST.nothing:
          break;
        case REQUEST.sleepFor:
          this.events.push(
            this.nowNs + thread.amountNs + this.costs.timerOvershootNs(thread.timerKind, thread.amountNs),
            thread.number * KINDS + TIMER,
            ++thread.sleepGeneration,
          );
          this.#fallAsleep(thread);
          return;
        default:
          this.#fallAsleep(thread);
          return;
      }
    }
  }

  #beginPiece(thread: VirtualThread): void {
    thread.stepsSinceSleep = 0;
    thread.result = 0;
  }

  #offer(thread: VirtualThread): void {
    (thread.lock as VirtualLock).offer();
    this.#beginPiece(thread);
  }

  /** Lets time pass for the thread. Returns whether that is over already, or else will be an event. */
  #pay(thread: VirtualThread, ns: number): boolean {
    const end = this.nowNs + ns;
    if (end < this.events.nextNs && end <= this.#untilNs && !this.stopped) {
      this.nowNs = end;
      return true;
    }
    this.#plan(thread, end);
    return false;
  }

  #plan(thread: VirtualThread, atNs: number): void {
    thread.paidAtNs = atNs;
    thread.generation++;
    if (atNs !== Infinity) this.events.push(atNs, thread.number * KINDS + PAID, thread.generation);
  }

  #fallAsleep(thread: VirtualThread): void {
    thread.state = STATE.sleeping;
    this.#schedulerOf().leave(thread);
  }

  /** Runs the policy to its next step. Returns false if the piece is over. */
  #nextStep(thread: VirtualThread): boolean {
    const piece = thread.piece as NonNullable<typeof thread.piece>;
    const memory = thread.memory as VirtualMemory;
    let over: boolean;
    (this.#pulse[1] as number)++;
    try {
      over = piece.next(thread.result).done === true;
    } catch (error) {
      throw this.#failure(thread, `throws: ${error instanceof Error ? error.message : error}`);
    }
    if (over) {
      if (memory.op !== OP.none) throw this.#failure(thread, 'makes a step it does not yield');
      thread.piece = null;
      return false;
    }
    thread.stepsMade++;
    if (memory.op === OP.none) throw this.#failure(thread, 'yields what is no step');
    if (++thread.stepsSinceSleep > MAX_STEPS_WITHOUT_SLEEP) {
      throw this.#failure(thread, `makes ${MAX_STEPS_WITHOUT_SLEEP} steps without an end or a sleep`);
    }
    return true;
  }

  /** Performs the step that is written down. Returns what is still to pay for it; -1 if the thread sleeps. */
  #perform(thread: VirtualThread): number {
    const memory = thread.memory as VirtualMemory;
    const { words, op } = memory;
    memory.op = OP.none;
    if (op === OP.notify) {
      const woken = this.#notify(thread, memory);
      thread.result = woken;
      return woken * this.costs.futexWakeNs;
    }
    if (op === OP.wait) {
      if (thread.sleptAtNs < 0) thread.sleptAtNs = this.nowNs;
      if (words.values[memory.word] !== memory.first) {
        thread.result = NOT_EQUAL;
        return 0;
      }
      thread.stepsSinceSleep = 0;
      thread.sleepsOn = memory.word;
      thread.asleepSinceNs = this.nowNs;
      words.sleepersOf(memory.word).add(thread.number);
      thread.sleepGeneration++;
      if (memory.second !== Infinity) {
        const overshootNs = this.costs.timerOvershootNs(0, memory.second);
        this.events.push(
          this.nowNs + Math.floor(memory.second) + overshootNs,
          thread.number * KINDS + TIMER,
          thread.sleepGeneration,
        );
      }
      this.#fallAsleep(thread);
      return -1;
    }
    memory.op = op;
    thread.result = memory.performAtomic();
    memory.op = OP.none;
    if (op !== OP.load && memory.word === words.breaker && words.watchers.size > 0) this.#cutShort(memory);
    return 0;
  }

  #notify(thread: VirtualThread, { words, word, first }: VirtualMemory): number {
    const sleepers = words.sleepers.get(word);
    if (sleepers === undefined) return 0;
    let woken = 0;
    for (const sleeper of sleepers) {
      if (woken >= first) break;
      woken++;
      this.wake(this.threads[sleeper] as VirtualThread, WOKEN, thread);
    }
    return woken;
  }

  /** The breaker was written: who works on looks at it at the end of the leaf he is in. */
  #cutShort({ words }: VirtualMemory): void {
    if (words.values[words.breaker] === 0) return;
    for (const number of words.watchers) {
      const worker = this.threads[number] as VirtualThread;
      const leafNs = worker.lock?.state.leafNs ?? 0;
      const worked = worker.workedNs + this.nowNs - worker.workingSinceNs;
      const leaves = Math.floor(worked / leafNs) + 1;
      if (leaves >= worker.leavesToLook) continue;
      worker.leavesToLook = leaves;
      this.#plan(worker, this.nowNs + leaves * leafNs - worked);
    }
  }

  /** A look at the yield point in front of the first leaf. */
  #mustOffer(thread: VirtualThread): boolean {
    const lock = thread.lock as NonNullable<typeof thread.lock>;
    const { words } = lock.state;
    if (words.breaker >= 0) return words.values[words.breaker] !== 0;
    if (lock.everyTicks === 0) return false;
    lock.books.ticksLeft -= lock.state.leafTicks;
    if (lock.books.ticksLeft >= 0) return false;
    lock.books.ticksLeft = lock.everyTicks;
    return true;
  }

  /** Works to the next look that matters. Returns whether that is over already. */
  #beginWork(thread: VirtualThread): boolean {
    const lock = thread.lock as NonNullable<typeof thread.lock>;
    thread.workedNs = 0;
    thread.offersAtLook = false;
    thread.leavesToLook = thread.leavesLeft;
    if (lock.everyTicks > 0) {
      const { leafTicks } = lock.state;
      // The look that finds the ticks used up is the first for which they do not suffice.
      const looks = Math.floor(lock.books.ticksLeft / leafTicks) + 1;
      if (looks < thread.leavesLeft) {
        thread.leavesToLook = looks;
        thread.offersAtLook = true;
        lock.books.ticksLeft = lock.everyTicks;
      } else {
        lock.books.ticksLeft -= (thread.leavesLeft - 1) * leafTicks;
      }
    }
    thread.paying = PAYING.work;
    const { leafNs } = lock.state;
    const end = this.nowNs + thread.leavesToLook * leafNs;
    const breakerIsSet = lock.state.words.breaker >= 0 && lock.state.words.values[lock.state.words.breaker] !== 0;
    if (!breakerIsSet && end < this.events.nextNs && end <= this.#untilNs && !this.stopped) {
      this.nowNs = end;
      return true;
    }
    this.#workOn(thread);
    return false;
  }

  /** The thread works, from now on. */
  #workOn(thread: VirtualThread): void {
    const lock = thread.lock as NonNullable<typeof thread.lock>;
    const { words, leafNs } = lock.state;
    thread.workingSinceNs = this.nowNs;
    if (words.breaker >= 0) {
      words.watchers.add(thread.number);
      if (words.values[words.breaker] !== 0) {
        thread.leavesToLook = Math.min(thread.leavesToLook, Math.floor(thread.workedNs / leafNs) + 1);
      }
    }
    this.#plan(thread, this.nowNs + thread.leavesToLook * leafNs - thread.workedNs);
  }

  /** The thread was taken off its CPU in the midst of work. */
  #stopWork(thread: VirtualThread): void {
    thread.workedNs += this.nowNs - thread.workingSinceNs;
    thread.lock?.state.words.watchers.delete(thread.number);
  }

  /** The thread has come to a look. Returns what that finds. */
  #lookUp(thread: VirtualThread): number {
    const { words } = (thread.lock as NonNullable<typeof thread.lock>).state;
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

  #failure(thread: VirtualThread, what: string): SimulationError {
    return new SimulationError(
      `policy «${thread.lock?.state.label}»: ${thread.name} ${what}, after ${thread.stepsMade} steps of its own`,
    );
  }
}
