/**
 * An operating system's scheduler in the manner of Linux: a run queue for each CPU, which says who is next (`run-queue.ts`); a thread
 * that wakes goes to an idle CPU if there is one, its own first; where there is none it may displace the thread that runs;
 * threads of one queue take turns by time slices; a CPU that would be idle takes a thread from the longest queue, and at a
 * tick is given one that waits.
 *
 * Not here: priorities and groups, load balancing between CPUs that are all busy, caches, cores that share a pipeline, frequencies.
 */
import {
  FIRST_SCHEDULER_KIND,
  KINDS,
  type Machine,
  type Scheduler,
  subjectOf,
  type WokenThrough,
} from '../../lock/machines/virtual-time/machine.ts';
import { STATE, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Profile } from './profile.ts';
import { type Random, valueAt } from './random.ts';
import { type RunQueue, runQueueOf } from './run-queue.ts';

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

/** Over what time the kernel looks back at what a CPU has had to do: half of it counts after 32 ms (`PELT`). */
const LOOK_BACK_NS = 46_000_000;

/** Whoever ran so lately stays where its cache is warm, though another CPU be idle (`sysctl_sched_migration_cost`). */
const HOT_NS = 500_000;

/** A share after some time of another, as the kernel's half-life would have it, without an exponential. */
function towards(share: number, from: number, ns: number): number {
  return from + ((share - from) * ns) / (ns + LOOK_BACK_NS);
}

type Idle = NonNullable<Profile['scheduler']['idle']>;

/** When a CPU that stays idle has gone to sleep, unless its host lets it poll. */
function asleepFromNs({ asleep }: Idle): number {
  return asleep[0]?.idleNs ?? 0;
}

/** How a CPU is woken that has been idle for so long. */
function lastFrom<Wake extends { readonly idleNs: number }>(wakes: readonly Wake[], idleNs: number): Wake | undefined {
  return wakes.findLast((each) => each.idleNs <= idleNs);
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
  /** Who is about to displace the thread that has it, whatever the queue says. */
  favoured: VirtualThread | null;
  /** Since when nobody has had it. */
  idleSinceNs: number;
  /** What share of the time somebody has had it lately, up to when. */
  busyShare: number;
  busyShareAtNs: number;
  /** How long it polls when it falls idle. */
  pollNs: number;
  /** Whether the next interrupt is among the events. */
  interruptArmed: boolean;
  /** Whether the tick is at which its queue is looked at. */
  balanceArmed: boolean;
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
      queue: runQueueOf(costs),
      current: null,
      running: false,
      generation: 0,
      tenure: 0,
      tenureSinceNs: -1,
      slicedTenure: -1,
      looksAgain: false,
      favoured: null,
      idleSinceNs: Number.NEGATIVE_INFINITY,
      busyShare: 0,
      busyShareAtNs: 0,
      pollNs: 0,
      interruptArmed: false,
      balanceArmed: false,
    }));
  }

  /** CPU time a thread has had, up to now. */
  cpuNsOf(thread: VirtualThread): number {
    const cpu = this.#cpuOf(thread);
    const runs = cpu.running && cpu.current === thread;
    return thread.cpuNs + (runs ? this.#machine.nowNs - thread.onCpuSinceNs : 0);
  }

  wake(thread: VirtualThread, by: VirtualThread | null, through: WokenThrough): number | null {
    const from = this.#cpuOf(thread);
    // It never left the queue it was in.
    const cpu = thread.isDelayed ? from : this.#place(thread, by, through);
    const { current, queue } = cpu;
    const ranNs = current !== null && cpu.running ? this.#ranNs(current) : 0;
    queue.place(thread, from.queue, current, ranNs);
    thread.cpu = cpu.number;
    if (current === null) return this.#wakeIdle(cpu, thread, by);
    this.#enqueue(cpu, thread);
    const ownCpu = by?.cpu === cpu.number;
    if (!cpu.running) {
      // Interrupted: it is looked at the end of that.
      if (cpu.tenureSinceNs >= 0 && queue.displaces(thread, current, 0)) cpu.looksAgain = true;
    } else if (current === by && through === 'connection') {
      // In traces of Linux 6.18 more often than not; which lags make it so is not simulated.
      cpu.favoured = thread;
      this.#machine.events.push(this.#machine.nowNs, cpu.number * KINDS + PREEMPT, cpu.tenure);
    } else if (queue.displaces(thread, current, ranNs)) {
      // To its own CPU the kernel sends no interrupt: a waker is displaced in its call, and a timer is an interrupt already.
      const latencyNs = by === null || ownCpu ? 0 : this.#random.draw(this.#costs.preemptNs);
      this.#machine.events.push(this.#machine.nowNs + latencyNs, cpu.number * KINDS + PREEMPT, cpu.tenure);
      if (!ownCpu) return null;
    }
    return through === 'futex' ? (this.#costs.queueNs ?? null) : null;
  }

  leave(thread: VirtualThread): void {
    const cpu = this.#cpuOf(thread);
    this.#account(cpu, thread);
    cpu.queue.leave(thread);
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

  /** Where a thread that wakes goes. */
  #place(thread: VirtualThread, by: VirtualThread | null, through: WokenThrough): Cpu {
    const own = this.#cpuOf(thread);
    const wakers = by?.state === STATE.running ? this.#cpuOf(by) : null;
    const othersWait = wakers !== null && wakers.queue.length > 0;
    if (this.#idle > 0) {
      for (let i = 0; i < this.#cpus.length; i++) {
        const cpu = this.#cpus[(own.number + i) % this.#cpus.length] as Cpu;
        // A new thread is put where there is least to do, whatever the kernel takes that for.
        if (thread.cpuNs === 0 || othersWait ? cpu.current === null : this.#isSeenIdle(cpu)) return cpu;
      }
    }
    if (wakers === null) return own;
    if (through !== 'futex' && !othersWait) return wakers;
    return own.current !== null && this.#isLessBusy(wakers, own, thread) ? wakers : own;
  }

  /** Rather than wait behind who always runs: what both have to do without the thread, and with it (`wake_affine_weight`). */
  #isLessBusy(wakers: Cpu, own: Cpu, thread: VirtualThread): boolean {
    const { nowNs } = this.#machine;
    const share = towards(0, thread.busyShare, nowNs - thread.ranUntilNs);
    return this.#busyShareOf(wakers) + share < this.#busyShareOf(own) - share;
  }

  #busyShareOf({ busyShare, busyShareAtNs, current }: Cpu): number {
    return towards(current === null ? 0 : 1, busyShare, this.#machine.nowNs - busyShareAtNs);
  }

  /** Before a CPU that was idle is given to a thread, or falls idle. */
  #countBusyShare(cpu: Cpu): void {
    cpu.busyShare = this.#busyShareOf(cpu);
    cpu.busyShareAtNs = this.#machine.nowNs;
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
    cpu.queue.begin(thread);
    cpu.favoured = null;
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
      if (this.#givesWay(cpu, thread, 0)) {
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
    const thread = this.#move(cpu, idle);
    if (thread === undefined) return;
    this.#queued--;
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
    if (cpu.queue.length === 0) return;
    if (this.#givesWay(cpu, thread, this.#ranNs(thread))) this.#displace(cpu, thread);
    else this.#endSliceAfter(cpu, this.#machine.nowNs + this.#costs.sliceNs);
  }

  #preempt(cpu: Cpu, thread: VirtualThread): void {
    if (!cpu.running || cpu.queue.length === 0) return;
    if (this.#givesWay(cpu, thread, this.#ranNs(thread))) this.#displace(cpu, thread);
  }

  #givesWay({ favoured, queue }: Cpu, thread: VirtualThread, ranNs: number): boolean {
    return favoured !== null || queue.givesWay(thread, ranNs);
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
    const { favoured } = cpu;
    cpu.queue.add(thread);
    const next = cpu.queue.takeAway((waiting) => waiting === favoured) ?? cpu.queue.take();
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
    this.#idle--;
    this.#countBusyShare(cpu);
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
    const entering = isEntering ? lastFrom(idle.entering, idleNs) : undefined;
    const callNs =
      entering === undefined
        ? this.#startIdle(cpu, thread, (polls ? undefined : lastFrom(idle.asleep, idleNs)) ?? idle.polled)
        : this.#startEntering(cpu, thread, entering);
    by.undisturbedUntilNs = this.#machine.nowNs + callNs;
    return callNs;
  }

  /** Returns what it takes the waker. */
  #startIdle(cpu: Cpu, thread: VirtualThread, wake: Idle['polled']): number {
    const callNs = this.#random.draw(wake.callNs);
    this.#give(cpu, thread, Math.max(0, callNs + this.#random.draw(wake.leadNs)));
    return callNs;
  }

  /** The same. If the CPU must be interrupted both the call and the latency are long, else neither. */
  #startEntering(cpu: Cpu, thread: VirtualThread, wake: Idle['entering'][number]): number {
    const share = this.#random.uniform();
    this.#give(cpu, thread, valueAt(wake.latencyNs, share));
    return valueAt(wake.callNs, share);
  }

  #giveToNext(cpu: Cpu, delayNs: number): void {
    this.#countBusyShare(cpu);
    cpu.current = null;
    cpu.running = false;
    cpu.generation++;
    const next = cpu.queue.take() ?? (this.#queued > 0 ? this.#pull(cpu) : undefined);
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
    return this.#move(from, to);
  }

  /** Takes a thread from one queue to another, where it has not begun to wait. */
  #move(from: Cpu, to: Cpu): VirtualThread | undefined {
    const thread = from.queue.takeAway((waiting) => this.#machine.nowNs - waiting.ranUntilNs >= HOT_NS);
    if (thread !== undefined) to.queue.place(thread, from.queue, null, 0);
    return thread;
  }

  /** What a thread that runs has run since that was last counted. */
  #ranNs(thread: VirtualThread): number {
    return this.#machine.nowNs - thread.onCpuSinceNs;
  }

  #account(cpu: Cpu, thread: VirtualThread): void {
    const ranNs = this.#ranNs(thread);
    const idleShare = towards(0, thread.busyShare, thread.onCpuSinceNs - thread.ranUntilNs);
    thread.busyShare = towards(1, idleShare, ranNs);
    thread.ranUntilNs = this.#machine.nowNs;
    thread.cpuNs += ranNs;
    thread.onCpuSinceNs = this.#machine.nowNs;
    cpu.queue.count(thread, ranNs);
  }
}
