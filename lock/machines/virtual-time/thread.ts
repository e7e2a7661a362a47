/**
 * A simulated thread. Its program is a generator, too: it yields what it asks of the machine, the policy's pieces among it, and
 * is resumed when that has been done and the time it takes has passed.
 *
 *     yield thread.run(10_000);                   // 10 µs of a CPU
 *     yield lock.release();                       // a piece of a policy, step by step
 *
 * A request is a number, its particulars stand in the thread: a simulated run makes millions, and none is allocated.
 */
import type { Steps } from '../../memory.ts';
import type { VirtualLock } from './lock.ts';
import type { Doing } from './machine.ts';
import type { VirtualMemory } from './memory.ts';

/** What a program can ask for. */
export const REQUEST = {
  /** A time on a CPU. */
  run: 0,
  /** A piece of a policy. */
  steps: 1,
  /** Interpreter work with yield points. */
  work: 2,
  /** Sleeps until woken; result: what the waker says. */
  sleep: 3,
  /** Sleeps until woken or until the time is over; result: what the waker says, or {@link OVER}. */
  sleepFor: 4,
  /** To go on at once. */
  nothing: 5,
} as const;

/** Result of {@link REQUEST.sleepFor}: the time was over. */
export const OVER = -1;

/** What a thread does, or is: yields requests, is given their results. */
export type Program = Generator<number, void, number>;

/** What the thread does with the CPU time it pays for. */
export const PAYING = {
  /** Nothing comes of it but that the program goes on. */
  plain: 0,
  /** A step of a policy is performed at its end. */
  step: 1,
  /** Interpreter work. */
  work: 2,
} as const;

export const STATE = { ready: 0, running: 1, sleeping: 2, ended: 3 } as const;

/** The machine and the scheduler write these fields; programs use the methods. */
export class VirtualThread {
  readonly number: number;
  /** How messages call it. */
  readonly name: string;
  readonly program: Program;
  state: number = STATE.sleeping;

  /** The piece of a policy it is in. */
  piece: Steps<unknown> | null = null;
  /** The lock whose policy that piece is of. */
  lock: VirtualLock | null = null;
  memory: VirtualMemory | null = null;
  /** What the piece that begins takes by itself, before its first step. */
  pieceNs = 0;
  /** Steps of policies made so far, and since the beginning of the piece it is in, sleeps not counted. */
  stepsMade = 0;
  stepsSinceSleep = 0;
  /** Whether it is in a wait, in the kernel, about to look at the word; and how long it takes from there to be back, if it does not sleep. */
  looks = false;
  wayOutNs = 0;
  /** When it first went to sleep since the owner last set this to -1. */
  sleptAtNs = -1;

  /** Particulars of its request. */
  amountNs = 0;
  timerKind = 0;
  /** What the program or the piece is resumed with. */
  result = 0;

  paying: number = PAYING.plain;
  /** When what it pays for is paid, while it runs; how much is still to pay, while it does not. */
  paidAtNs = 0;
  owedNs = 0;
  /** Of its pending event; every change of plans makes a new one. */
  generation = 0;
  /** Of its pending time-out. */
  sleepGeneration = 0;
  /** The word it sleeps on; -1 if it sleeps on none. */
  sleepsOn = -1;
  /** Who went to sleep on it before, and after. */
  sleeperBefore: VirtualThread | null = null;
  sleeperAfter: VirtualThread | null = null;
  asleepSinceNs = 0;

  /** Leaves of interpreter work that are left; those after which it looks up next; how much of those is done. */
  leavesLeft = 0;
  leavesToLook = 0;
  workedNs = 0;
  workingSinceNs = 0;
  /** Whether the look at the end of these leaves is known to find that the lock must be offered. */
  offersAtLook = false;
  /** Leaves done in all its life. */
  leavesDone = 0;

  /** How long it has slept in all its life, and how long it had when it last did what. */
  sleptNs = 0;
  readonly didAtNs = new Map<Doing, number>();
  /** How cold sleep left it; a new one is as most are. And how long it had slept when that was drawn. */
  coldShare = 0.5;
  coldShareAtNs = 0;
  /** When it last began a call that wakes, and how long it had slept then; and from when on a wait that meets this one holds it up. */
  calledAtNs = Number.NEGATIVE_INFINITY;
  sleptWhenCalledNs = 0;
  heldUpFromNs = 0;

  /** Its scheduler's: the CPU it runs on or ran on last, since when, and what it has had of CPUs. */
  cpu = 0;
  onCpuSinceNs = 0;
  cpuNs = 0;
  /** When it ran last, and what share of the time before that. */
  ranUntilNs = 0;
  busyShare = 0;
  /** Its run queue's: on the clock of that. */
  virtualRuntimeNs = 0;
  virtualDeadlineNs = 0;
  protectedUntilNs = 0;
  lagNs = 0;
  isDelayed = false;
  queuedOrder = 0;
  /** Until when it is in a call whose time, as it was drawn, has interrupts in it already. */
  undisturbedUntilNs = 0;

  /** @param program is given the thread, and first runs when that is started */
  constructor(number: number, name: string, program: (thread: VirtualThread) => Program) {
    this.number = number;
    this.name = name;
    this.program = program(this);
  }

  /** Makes a call that wakes. */
  callsAt(ns: number): void {
    this.calledAtNs = ns;
    this.sleptWhenCalledNs = this.sleptNs;
  }

  run(ns: number): number {
    this.amountNs = ns;
    return REQUEST.run;
  }

  steps(piece: Steps<unknown>, lock: VirtualLock): number {
    this.piece = piece;
    this.lock = lock;
    this.memory = lock.memory;
    return REQUEST.steps;
  }

  /** @param leaves `Infinity`: for ever */
  work(leaves: number, lock: VirtualLock): number {
    this.leavesLeft = leaves;
    this.lock = lock;
    return REQUEST.work;
  }

  sleep(): number {
    return REQUEST.sleep;
  }

  /** @param timerKind which timer it is, for the machine's costs */
  sleepFor(ns: number, timerKind: number): number {
    this.amountNs = ns;
    this.timerKind = timerKind;
    return REQUEST.sleepFor;
  }
}
