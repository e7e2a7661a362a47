/**
 * The global lock in the hand of a simulated thread: `GlobalLock` and `Interpreter` in virtual time. Policy and books are the same;
 * this file only says in which order they are asked.
 */
import { type BookBuffers, Books } from '../../books.ts';
import { INTS_PER_WORD, layOut } from '../../memory.ts';
import type { Policy, Rules } from '../../policy.ts';
import type { Recorder } from '../../recorder.ts';
import { VirtualMemory, VirtualWords } from './memory.ts';
import { OFFER, type Program, type VirtualThread } from './thread.ts';

/** What the threads of one lock share. */
export class VirtualLockState {
  readonly policy: Policy;
  readonly options: Readonly<Record<string, number>>;
  readonly words: VirtualWords;
  readonly buffers: BookBuffers;
  /** How messages call the policy. */
  readonly label: string;
  /** How long a leaf of interpreter work takes, and how many ticks it is. */
  readonly leafNs: number;
  readonly leafTicks: number;

  constructor(
    policy: Policy,
    options: Readonly<Record<string, number>>,
    label: string,
    buffers: BookBuffers,
    leaf: { readonly ns: number; readonly ticks: number },
  ) {
    this.policy = policy;
    this.options = options;
    this.label = label;
    this.buffers = buffers;
    this.words = new VirtualWords(Math.max(1, Object.keys(policy.words).length) * INTS_PER_WORD);
    this.leafNs = leaf.ns;
    this.leafTicks = leaf.ticks;
  }
}

/** One thread's handle. */
export class VirtualLock {
  readonly state: VirtualLockState;
  readonly books: Books;
  readonly memory: VirtualMemory;
  /** Ticks between two offers; 0 if ticks are not counted. */
  readonly everyTicks: number;
  /** Is told what this thread does; its clock is the machine's. */
  readonly recorder: Recorder | null;
  readonly #rules: Rules;
  readonly #me: number;
  readonly #thread: VirtualThread;
  readonly #clock: { readonly nowNs: number };

  /** @param me the thread's number under this lock, from 1 */
  constructor(
    state: VirtualLockState,
    me: number,
    thread: VirtualThread,
    clock: { readonly nowNs: number },
    recorder: Recorder | null = null,
  ) {
    this.state = state;
    this.recorder = recorder;
    this.#me = me;
    this.#thread = thread;
    this.#clock = clock;
    this.#rules = state.policy.rules(layOut(state.policy.words), state.options);
    this.books = new Books(state.buffers, state.policy.exclusive, me);
    this.memory = new VirtualMemory(state.words);
    const { yieldPoint } = this.#rules;
    if (yieldPoint.kind === 'requested') state.words.breaker = yieldPoint.word;
    this.everyTicks = yieldPoint.kind === 'ticks' ? yieldPoint.every : 0;
  }

  *acquire(): Program {
    this.recorder?.wants();
    yield* this.#acquire(false);
  }

  /** For long. */
  *release(): Program {
    this.recorder?.leaves();
    yield* this.#release();
  }

  /** For the time of a call: which, as a number that the reader of a recording knows. */
  *leave(call: number): Program {
    this.recorder?.calls(call, this.#clock.nowNs);
    yield* this.#release();
  }

  /** After that call. */
  *comeBack(): Program {
    this.recorder?.wants();
    yield* this.#acquire(true);
  }

  /** At a yield point at which the lock must be offered. */
  *offer(): Program {
    this.books.offered(1);
    this.recorder?.offers(true);
    yield* this.#release();
    yield* this.#acquire(false);
  }

  /** Interpreter work under the lock, with yield points; `Infinity`: for ever. */
  *work(ticks: number): Program {
    const thread = this.#thread;
    let result = yield thread.work(Math.ceil(ticks / this.state.leafTicks), true, this);
    while (result === OFFER) {
      yield* this.offer();
      result = yield thread.work(thread.leavesLeft, false, this);
    }
  }

  /** A yield point by itself, after long work without one. */
  *yieldPoint(ticks: number): Program {
    if (this.state.words.breaker >= 0) {
      if (this.state.words.values[this.state.words.breaker] === 0) return;
    } else if (this.everyTicks > 0) {
      this.books.ticksLeft -= ticks;
      if (this.books.ticksLeft >= 0) return;
      this.books.ticksLeft = this.everyTicks;
    } else {
      return;
    }
    yield* this.offer();
  }

  *setPriority(priority: number): Program {
    if (this.#rules.setPriority === undefined) return;
    yield this.#thread.steps(this.#rules.setPriority(this.memory, this.#me, priority), this);
  }

  *#release(): Program {
    yield this.#thread.steps(this.#rules.release(this.memory, this.#me), this);
  }

  *#acquire(afterCall: boolean): Program {
    const { books } = this;
    const thread = this.#thread;
    thread.sleptAtNs = -1;
    yield thread.steps(this.#rules.acquire(this.memory, this.#me), this);
    const slept = thread.sleptAtNs >= 0;
    if (slept) books.slept(this.#clock.nowNs - thread.sleptAtNs);
    if (afterCall) books.cameBack(slept);
    this.recorder?.holds(books.taker);
    books.owns();
  }
}
