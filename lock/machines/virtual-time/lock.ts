/**
 * The global lock in the hand of a simulated thread: `GlobalLock` and `Interpreter` in virtual time. Policy and books are the same;
 * this file only says in which order they are asked.
 */
import { type BookBuffers, Books } from '../../books.ts';
import { INTS_PER_WORD, layOut, type Steps } from '../../memory.ts';
import type { Policy, Rules } from '../../policy.ts';
import type { Recorder } from '../../recorder.ts';
import { VirtualMemory, VirtualWords } from './memory.ts';
import type { Offers } from './offers.ts';
import { REQUEST, type VirtualThread } from './thread.ts';

/** What the threads of one lock share. */
export class VirtualLockState {
  readonly policy: Policy;
  readonly options: Readonly<Record<string, number>>;
  readonly words: VirtualWords;
  readonly buffers: BookBuffers;
  /** How messages call the policy. */
  readonly label: string;
  /** How long a leaf of interpreter work takes. */
  readonly leafNs: number;

  constructor(
    policy: Policy,
    options: Readonly<Record<string, number>>,
    label: string,
    buffers: BookBuffers,
    leafNs: number,
  ) {
    this.policy = policy;
    this.options = options;
    this.label = label;
    this.buffers = buffers;
    this.words = new VirtualWords(Math.max(1, Object.keys(policy.words).length) * INTS_PER_WORD);
    this.leafNs = leafNs;
  }
}

/** What follows the piece of the policy that a thread is in. */
export const THEN = {
  /** Its program goes on. */
  program: 0,
  /** Another piece. */
  piece: 1,
  /** The work in which the lock was offered. */
  work: 2,
} as const;

/** The piece that is under way, and what for. */
const ACQUIRE = 0;
const COME_BACK = 1;
const OFFER_RELEASE = 2;
const OFFER_ACQUIRE = 3;
const OTHER = 4;

/**
 * One thread's handle. Its methods make requests of the thread's program, to be yielded: `yield lock.acquire()`. They are no generators, and
 * offers are made by the machine in the midst of work: under a policy that counts ticks there are a million in a simulated second.
 */
export class VirtualLock {
  readonly state: VirtualLockState;
  readonly books: Books;
  readonly memory: VirtualMemory;
  /** Ticks between two offers; 0 if ticks are not counted. */
  readonly everyTicks: number;
  /** How long a tick of the thread's work takes, and how many a leaf is. */
  readonly tickNs: number;
  readonly leafTicks: number;
  /** Lets offers that nobody takes be counted instead of made; null: each is made. */
  offers: Offers | null = null;
  /** Is told what this thread does; its clock is the machine's. */
  readonly recorder: Recorder | null;
  readonly #rules: Rules;
  readonly #me: number;
  readonly #thread: VirtualThread;
  readonly #clock: { readonly nowNs: number };
  #piece = OTHER;

  /**
   * @param me the thread's number under this lock, from 1
   * @param tickNs how long a tick of its work takes
   */
  constructor(
    state: VirtualLockState,
    me: number,
    thread: VirtualThread,
    clock: { readonly nowNs: number },
    tickNs: number,
    recorder: Recorder | null = null,
  ) {
    this.state = state;
    this.recorder = recorder;
    this.#me = me;
    this.#thread = thread;
    this.#clock = clock;
    this.tickNs = tickNs;
    this.leafTicks = state.leafNs / tickNs;
    this.#rules = state.policy.rules(layOut(state.policy.words), state.options);
    this.books = new Books(state.buffers, state.policy.exclusive, me);
    this.memory = new VirtualMemory(state.words);
    const { yieldPoint } = this.#rules;
    if (yieldPoint.kind === 'requested') state.words.breaker = yieldPoint.word;
    this.everyTicks = yieldPoint.kind === 'ticks' ? yieldPoint.every : 0;
  }

  acquire(): number {
    this.recorder?.wants();
    return this.#acquire(ACQUIRE);
  }

  /** For long. */
  release(): number {
    this.recorder?.leaves();
    return this.#release(OTHER);
  }

  /** For the time of a call: which, as a number that the reader of a recording knows. */
  leave(call: number): number {
    this.recorder?.calls(call, this.#clock.nowNs);
    return this.#release(OTHER);
  }

  /** After that call. */
  comeBack(): number {
    this.recorder?.wants();
    return this.#acquire(COME_BACK);
  }

  /** Interpreter work under the lock, with yield points at which it is offered; `Infinity`: for ever. */
  work(durationNs: number): number {
    this.offers?.beginWork();
    return this.#thread.work(Math.ceil(durationNs / this.state.leafNs), this);
  }

  /** A yield point by itself, after long work without one. */
  yieldPoint(ticks: number): number {
    const { breaker, values } = this.state.words;
    if (breaker >= 0) {
      if (values[breaker] === 0) return REQUEST.nothing;
    } else if (this.everyTicks > 0) {
      if (!this.books.spend(ticks, this.everyTicks)) return REQUEST.nothing;
    } else {
      return REQUEST.nothing;
    }
    this.#thread.leavesLeft = 0;
    this.offers?.beginWork();
    return this.offer();
  }

  setPriority(priority: number): number {
    if (this.#rules.setPriority === undefined) return REQUEST.nothing;
    return this.#begin(OTHER, this.#rules.setPriority(this.memory, this.#me, priority));
  }

  /** At a yield point at which the lock must be offered. {@link REQUEST.nothing}: that has been counted, and the thread goes on. */
  offer(): number {
    if (this.offers?.begin() === true) return REQUEST.nothing;
    this.books.offered(1);
    this.recorder?.offers(true);
    return this.#release(OFFER_RELEASE);
  }

  /** The piece is over. Returns what follows, one of {@link THEN}. */
  end(): number {
    switch (this.#piece) {
      case OFFER_RELEASE:
        this.#acquire(OFFER_ACQUIRE);
        return THEN.piece;
      case OFFER_ACQUIRE:
        this.#holds(false);
        return THEN.work;
      case ACQUIRE:
      case COME_BACK:
        this.#holds(this.#piece === COME_BACK);
        return THEN.program;
      default:
        return THEN.program;
    }
  }

  #release(what: number): number {
    return this.#begin(what, this.#rules.release(this.memory, this.#me));
  }

  #acquire(what: number): number {
    this.#thread.sleptAtNs = -1;
    return this.#begin(what, this.#rules.acquire(this.memory, this.#me));
  }

  #begin(what: number, steps: Steps): number {
    this.#piece = what;
    return this.#thread.steps(steps, this);
  }

  #holds(afterCall: boolean): void {
    const { sleptAtNs } = this.#thread;
    if (sleptAtNs >= 0) this.books.slept(this.#clock.nowNs - sleptAtNs);
    if (afterCall) this.books.cameBack(sleptAtNs >= 0);
    this.recorder?.holds(this.books.taker);
    this.books.owns();
  }
}
