/**
 * An operating system's scheduler in the manner of Linux (CFS): a run queue for each CPU, ordered by virtual run time; a thread
 * that wakes goes to an idle CPU if there is one, its own first; where there is none it may displace the thread that runs, if that has
 * had more than its share; threads of one queue take turns by time slices; a CPU that would be idle takes a thread from the
 * longest queue, and at a tick is given one that waits.
 *
 * Not here: priorities and groups, load balancing between CPUs that are all busy, caches, cores that share a pipeline, frequencies.
 */
import {
  FIRST_SCHEDULER_KIND,
  KINDS,
  type Machine,
  type Scheduler,
  subjectOf,
  type WakeManner,
} from '../../lock/machines/virtual-time/machine.ts';
import { STATE, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import { RunQueue } from './run-queue.ts';

/** The thread that was given the CPU starts to run. */
const READY = FIRST_SCHEDULER_KIND;
/** The slice of the thread that runs is over. */
const SLICE = FIRST_SCHEDULER_KIND + 1;
/** A thread that has woken wants the CPU of the one that runs. */
const PREEMPT = FIRST_SCHEDULER_KIND + 2;

/** The CPU is interrupted: a timer tick, another device, the hypervisor. */
const INTERRUPT = FIRST_SCHEDULER_KIND + 3;
/** A tick at which a thread may be moved from a CPU's queue to an idle one. */
const BALANCE = FIRST_SCHEDULER_KIND + 4;

/** When a CPU that stays idle has gone to sleep, unless its host lets it poll. */
function asleepFromNs({ asleep }: NonNullable<Profile['scheduler']['idle']>): number {
  return asleep[0]?.idleNs ?? 0;
}

interface Cpu {
  readonly number: number;
  readonly queue: RunQueue;
  /** Has the CPU, or is about to. */
  current: VirtualThread | null;
  /** Whether it runs already. */
  running: boolean;
  /** Of its pending start; an interrupt makes a new one. */
  generation: number;
  /** Changes with whoever has the CPU, not with an interrupt; events of an old one mean nothing. */
  tenure: number;
  /** Since when it has run in this one; -1: not yet. */
  tenureSinceNs: number;
  /** The tenure whose slice ends by an event. */
  slicedTenure: number;
  /** Whether an event that may displace the thread came while the CPU was interrupted. */
  looksAgain: boolean;
  /** Since when nobody has had it. */
  idleSinceNs: number;
  /** How long it polls when it falls idle. */
  pollNs: number;
  /** Whether the next interrupt is among the events. */
  interruptArmed: boolean;
  /** Whether the tick is at which its queue is looked at. */
  balanceArmed: boolean;
  /** A time that only grows: where threads that come to this queue begin. */
  virtualTimeNs: number;
}

export class LinuxScheduler implements Scheduler {
  readonly #machine: Machine;
  readonly #costs: Profile['scheduler'];
  readonly #random: Random;
  readonly #cpus: Cpu[];
  #idle: number;
  #queued = 0;

  constructor(machine: Machine, cpus: number, costs: Profile['scheduler'], random: Random) {
    this.#machine = machine;
    this.#costs = costs;
    this.#random = random;
    this.#idle = cpus;
    this.#cpus = Array.from({ length: cpus }, (_, number) => ({
      number,
      queue: new RunQueue(),
      current: null,
      running: false,
      generation: 0,
      tenure: 0,
      tenureSinceNs: -1,
      slicedTenure: -1,
      looksAgain: false,
      idleSinceNs: Number.NEGATIVE_INFINITY,
      pollNs: 0,
      interruptArmed: false,
      balanceArmed: false,
      virtualTimeNs: 0,
    }));
  }

  /** CPU time a thread has had, up to now. */
  cpuNsOf(thread: VirtualThread): number {
    const cpu = this.#cpuOf(thread);
    const runs = cpu.running && cpu.current === thread;
    return thread.cpuNs + (runs ? this.#machine.nowNs - thread.onCpuSinceNs : 0);
  }

  wake(thread: VirtualThread, by: VirtualThread | null, { isSync, displaces }: WakeManner): number | null {
    const from = this.#cpuOf(thread);
    const cpu = this.#place(thread, isSync ? by : null);
    const laterNs = cpu.virtualTimeNs - this.#costs.sleeperCreditNs;
    thread.virtualRuntimeNs = Math.max(thread.virtualRuntimeNs + cpu.virtualTimeNs - from.virtualTimeNs, laterNs);
    thread.cpu = cpu.number;
    if (cpu.current === null) {
      this.#idle--;
      return this.#wakeIdle(cpu, thread, by);
    }
    this.#enqueue(cpu, thread);
    if (!cpu.running) {
      const hadMoreNs = cpu.current.virtualRuntimeNs - thread.virtualRuntimeNs;
      // Interrupted: it is looked at the end of that.
      if (cpu.tenureSinceNs >= 0 && hadMoreNs > this.#costs.wakeupGranularityNs) cpu.looksAgain = true;
    } else if (cpu.current === by && !displaces) {
      return null;
    } else if (this.#runtimeOf(cpu.current) - thread.virtualRuntimeNs > this.#costs.wakeupGranularityNs) {
      // To its own CPU the kernel sends no interrupt: a waker is displaced in its call, and a timer is an interrupt already.
      const latencyNs = by === null || by.cpu === cpu.number ? 0 : this.#random.draw(this.#costs.preemptNs);
      this.#machine.events.push(this.#machine.nowNs + latencyNs, cpu.number * KINDS + PREEMPT, cpu.tenure);
    }
    return null;
  }

  leave(thread: VirtualThread): void {
    const cpu = this.#cpuOf(thread);
    this.#account(cpu, thread);
    this.#giveToNext(cpu, this.#costs.switchNs);
  }

  onEvent(what: number, generation: number): void {
    const kind = what % KINDS;
    const cpu = this.#cpus[subjectOf(what)] as Cpu;
    if (kind === INTERRUPT) this.#interrupt(cpu);
    if (kind === BALANCE) this.#balance(cpu);
    if (kind === INTERRUPT || kind === BALANCE || cpu.current === null) return;
    if (generation !== (kind === READY ? cpu.generation : cpu.tenure)) return;
    if (kind === SLICE) cpu.slicedTenure = -1;
    if (kind === READY) this.#begin(cpu, cpu.current);
    else if (!cpu.running) cpu.looksAgain = true;
    else if (kind === SLICE) this.#endSlice(cpu, cpu.current);
    else this.#preempt(cpu, cpu.current);
  }

  #cpuOf(thread: VirtualThread): Cpu {
    return this.#cpus[thread.cpu] as Cpu;
  }

  /**
   * Where a thread that wakes goes.
   *
   * @param leaving the thread that wakes it, if that one is about to sleep
   */
  #place(thread: VirtualThread, leaving: VirtualThread | null): Cpu {
    const own = this.#cpuOf(thread);
    if (this.#idle > 0) {
      for (let i = 0; i < this.#cpus.length; i++) {
        const cpu = this.#cpus[(own.number + i) % this.#cpus.length] as Cpu;
        // A new thread is put where there is least to do, whatever the kernel takes that for.
        if (thread.cpuNs === 0 ? cpu.current === null : this.#isSeenIdle(cpu)) return cpu;
      }
    }
    if (leaving?.state === STATE.running && this.#cpuOf(leaving).queue.length === 0) return this.#cpuOf(leaving);
    return own;
  }

  /** To a kernel in a virtual machine an idle CPU that sleeps is one that the host has taken away, and no better than a busy one. */
  #isSeenIdle(cpu: Cpu): boolean {
    if (cpu.current !== null) return false;
    const { idle } = this.#costs;
    if (idle === undefined) return true;
    const idleNs = this.#machine.nowNs - cpu.idleSinceNs;
    return idleNs <= cpu.pollNs || idleNs < asleepFromNs(idle);
  }

  #give(cpu: Cpu, thread: VirtualThread, delayNs: number): void {
    cpu.current = thread;
    cpu.tenure++;
    cpu.tenureSinceNs = -1;
    cpu.looksAgain = false;
    thread.cpu = cpu.number;
    this.#startAfter(cpu, delayNs);
  }

  #startAfter(cpu: Cpu, delayNs: number): void {
    cpu.running = false;
    cpu.generation++;
    this.#machine.events.push(this.#machine.nowNs + delayNs, cpu.number * KINDS + READY, cpu.generation);
  }

  #begin(cpu: Cpu, thread: VirtualThread): void {
    if (cpu.running) return;
    cpu.running = true;
    thread.onCpuSinceNs = this.#machine.nowNs;
    if (cpu.tenureSinceNs < 0) cpu.tenureSinceNs = this.#machine.nowNs;
    if (!cpu.interruptArmed) this.#armInterrupt(cpu);
    if (cpu.looksAgain) {
      cpu.looksAgain = false;
      const { first } = cpu.queue;
      if (first !== undefined && first.virtualRuntimeNs < thread.virtualRuntimeNs) {
        this.#exchange(cpu, thread);
        return;
      }
    }
    if (cpu.queue.length > 0) this.#armSlice(cpu);
    this.#machine.resume(thread);
  }

  #enqueue(cpu: Cpu, thread: VirtualThread): void {
    cpu.queue.add(thread);
    this.#queued++;
    if (cpu.running) this.#armSlice(cpu);
    this.#armBalance(cpu);
  }

  /** At a tick that finds a thread waiting a busy CPU wakes an idle one to fetch it (`nohz_balancer_kick`). */
  #armBalance(cpu: Cpu): void {
    if (cpu.balanceArmed || this.#idle === 0) return;
    cpu.balanceArmed = true;
    const { tickNs } = this.#costs;
    const atNs = Math.ceil((this.#machine.nowNs + 1) / tickNs) * tickNs;
    this.#machine.events.push(atNs, cpu.number * KINDS + BALANCE, 0);
  }

  #balance(cpu: Cpu): void {
    cpu.balanceArmed = false;
    const idle = this.#cpus.find(({ current }) => current === null);
    if (idle === undefined) return;
    const thread = this.#moveFirst(cpu, idle);
    if (thread === undefined) return;
    this.#queued--;
    this.#idle--;
    this.#wakeIdle(idle, thread, cpu.current);
    if (cpu.queue.length > 0) this.#armBalance(cpu);
  }

  #armSlice(cpu: Cpu): void {
    if (cpu.slicedTenure === cpu.tenure) return;
    this.#endSliceAfter(cpu, cpu.tenureSinceNs + this.#costs.sliceNs);
  }

  /** The kernel looks whether a slice is over at its ticks, not at the moment itself. */
  #endSliceAfter(cpu: Cpu, ns: number): void {
    const { tickNs } = this.#costs;
    cpu.slicedTenure = cpu.tenure;
    const atNs = Math.ceil(Math.max(this.#machine.nowNs + 1, ns) / tickNs) * tickNs;
    this.#machine.events.push(atNs, cpu.number * KINDS + SLICE, cpu.tenure);
  }

  #endSlice(cpu: Cpu, thread: VirtualThread): void {
    const { first } = cpu.queue;
    if (first === undefined) return;
    if (first.virtualRuntimeNs < this.#runtimeOf(thread)) this.#displace(cpu, thread);
    else this.#endSliceAfter(cpu, this.#machine.nowNs + this.#costs.sliceNs);
  }

  #preempt(cpu: Cpu, thread: VirtualThread): void {
    const { first } = cpu.queue;
    if (!cpu.running || first === undefined) return;
    if (first.virtualRuntimeNs < this.#runtimeOf(thread)) this.#displace(cpu, thread);
  }

  /** An idle CPU is not interrupted: the next one comes when it runs again, since nobody knows where in its period it was. */
  #armInterrupt(cpu: Cpu): void {
    const { everyNs } = this.#costs.interrupts;
    if (everyNs === 0) return;
    cpu.interruptArmed = true;
    this.#machine.housekeepingEvents++;
    const inNs = Math.floor(2 * everyNs * this.#random.uniform());
    this.#machine.events.push(this.#machine.nowNs + inNs, cpu.number * KINDS + INTERRUPT, 0);
  }

  #interrupt(cpu: Cpu): void {
    cpu.interruptArmed = false;
    this.#machine.housekeepingEvents--;
    // Where interrupts are all that can still happen, nothing can.
    if (!cpu.running || cpu.current === null || this.#machine.onlyHousekeeping) return;
    this.#armInterrupt(cpu);
    const thread = cpu.current;
    if (this.#machine.nowNs < thread.undisturbedUntilNs) return;
    this.#machine.pause(thread);
    this.#account(cpu, thread);
    this.#startAfter(cpu, this.#random.draw(this.#costs.interrupts.durationNs));
  }

  /** Takes the CPU from the thread that runs and gives it to the first of the queue. */
  #displace(cpu: Cpu, thread: VirtualThread): void {
    this.#machine.pause(thread);
    this.#account(cpu, thread);
    this.#exchange(cpu, thread);
  }

  #exchange(cpu: Cpu, thread: VirtualThread): void {
    const next = cpu.queue.take();
    cpu.queue.add(thread);
    this.#armBalance(cpu);
    if (next !== undefined) this.#give(cpu, next, this.#costs.switchNs);
  }

  /**
   * A CPU that its last thread leaves takes a while to fall asleep, and is back the sooner the less far it is. One of a virtual machine polls
   * for a while before it sleeps, and is woken the later the longer it sleeps then. For how long is learnt as by Linux's KVM
   * (`halt_poll_ns`): a sleep that polling would have shortened doubles it, one too long for any ends it.
   *
   * @param by who wakes it; null: a timer
   * @returns what it takes the waker
   */
  #wakeIdle(cpu: Cpu, thread: VirtualThread, by: VirtualThread | null): number | null {
    const { idle, wakeIdleNs } = this.#costs;
    if (idle === undefined) {
      // How late a timer is has been measured to the moment at which the thread runs.
      this.#give(cpu, thread, by === null ? 0 : this.#random.draw(wakeIdleNs));
      return null;
    }
    const { firstNs, maxNs } = idle.polling;
    const idleNs = this.#machine.nowNs - cpu.idleSinceNs;
    const isEntering = idleNs < asleepFromNs(idle);
    const polls = !isEntering && idleNs <= cpu.pollNs;
    if (idleNs > maxNs) cpu.pollNs = 0;
    else if (!isEntering && !polls) cpu.pollNs = Math.min(maxNs, Math.max(firstNs, 2 * cpu.pollNs));
    if (by === null) {
      this.#give(cpu, thread, 0);
      return null;
    }
    const wakes = isEntering ? idle.entering : idle.asleep;
    const wake = polls ? idle.polled : (wakes.findLast((each) => each.idleNs <= idleNs) ?? idle.polled);
    const callNs = this.#random.draw(wake.callNs);
    by.undisturbedUntilNs = this.#machine.nowNs + callNs;
    this.#give(cpu, thread, Math.max(0, callNs + this.#random.draw(wake.leadNs)));
    return callNs;
  }

  #giveToNext(cpu: Cpu, delayNs: number): void {
    cpu.current = null;
    cpu.running = false;
    cpu.generation++;
    const next = this.#queued > 0 ? (cpu.queue.take() ?? this.#pull(cpu)) : undefined;
    if (next === undefined) {
      this.#idle++;
      cpu.idleSinceNs = this.#machine.nowNs;
      return;
    }
    this.#queued--;
    this.#give(cpu, next, delayNs);
  }

  /** Takes a thread from the longest queue. */
  #pull(to: Cpu): VirtualThread | undefined {
    let from = to;
    for (const cpu of this.#cpus) if (cpu.queue.length > from.queue.length) from = cpu;
    return this.#moveFirst(from, to);
  }

  /** Takes the first thread of a queue, whose run time counts from there as it did here. */
  #moveFirst(from: Cpu, to: Cpu): VirtualThread | undefined {
    const thread = from.queue.take();
    if (thread !== undefined) thread.virtualRuntimeNs += to.virtualTimeNs - from.virtualTimeNs;
    return thread;
  }

  /** Virtual run time, what the thread has run since it got the CPU included. */
  #runtimeOf(thread: VirtualThread): number {
    return thread.virtualRuntimeNs + this.#machine.nowNs - thread.onCpuSinceNs;
  }

  #account(cpu: Cpu, thread: VirtualThread): void {
    const ranNs = this.#machine.nowNs - thread.onCpuSinceNs;
    thread.cpuNs += ranNs;
    thread.virtualRuntimeNs += ranNs;
    thread.onCpuSinceNs = this.#machine.nowNs;
    const first = cpu.queue.first?.virtualRuntimeNs ?? Infinity;
    cpu.virtualTimeNs = Math.max(cpu.virtualTimeNs, Math.min(thread.virtualRuntimeNs, first));
  }
}
