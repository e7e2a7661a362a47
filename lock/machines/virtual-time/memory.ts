/**
 * Shared words in virtual time. A step is written down when it is yielded, and performed when its time has come: the machine asks
 * what it costs, lets that time pass, and then has it performed, all of it at that one moment.
 */
import type { Memory, Step, Word } from '../../memory.ts';
import type { VirtualThread } from './thread.ts';

/** The steps, as they are written down. */
export const OP = {
  none: 0,
  load: 1,
  store: 2,
  exchange: 3,
  compareExchange: 4,
  add: 5,
  wait: 6,
  notify: 7,
} as const;

/** Who sleeps on a word, in the order in which they went to sleep: a list through the threads themselves. */
export class Sleepers {
  first: VirtualThread | null = null;
  #last: VirtualThread | null = null;

  add(thread: VirtualThread): void {
    thread.sleeperBefore = this.#last;
    thread.sleeperAfter = null;
    if (this.#last === null) this.first = thread;
    else this.#last.sleeperAfter = thread;
    this.#last = thread;
  }

  remove(thread: VirtualThread): void {
    const { sleeperBefore, sleeperAfter } = thread;
    if (sleeperBefore === null) this.first = sleeperAfter;
    else sleeperBefore.sleeperAfter = sleeperAfter;
    if (sleeperAfter === null) this.#last = sleeperBefore;
    else sleeperAfter.sleeperBefore = sleeperBefore;
  }
}

/** The words of one lock, and who sleeps on them. */
export class VirtualWords {
  readonly values: Int32Array;
  readonly #sleepers: Sleepers[];
  /** The word at which working threads look at each yield point; -1 if there is none. */
  breaker: Word = -1;
  /** How many threads sleep on them. */
  asleep = 0;
  /** Numbers of the threads that work on until the breaker is set. */
  readonly watchers = new Set<number>();
  /** How often a cache line has come to a CPU from another. */
  fetches = 0;
  /** By word when a wait has last found it changed. */
  readonly missedAtNs: Float64Array;
  /** By word the CPU that has its cache line, and next to it, where no word is, that of the kernel's queue of its sleepers; -1: nobody yet. */
  readonly #lineAt: Int32Array;

  /** @param size in words of 32 bits */
  constructor(size: number) {
    this.values = new Int32Array(size);
    this.#lineAt = new Int32Array(size).fill(-1);
    this.missedAtNs = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    this.#sleepers = Array.from({ length: size }, () => new Sleepers());
  }

  /** A thread on this CPU makes a step. Returns how many cache lines it takes from other CPUs for that. */
  fetch(op: number, word: Word, cpu: number): number {
    let lines = op === OP.notify ? 0 : this.#fetchLine(word, cpu);
    if (op === OP.notify || op === OP.wait) lines += this.#fetchLine(word + 1, cpu);
    this.fetches += lines;
    return lines;
  }

  #fetchLine(line: number, cpu: number): number {
    const before = this.#lineAt[line];
    this.#lineAt[line] = cpu;
    return before === cpu || before === -1 ? 0 : 1;
  }

  sleepersOf(word: Word): Sleepers {
    return this.#sleepers[word] as Sleepers;
  }
}

/** One thread's view of the words: the step it has come to. */
export class VirtualMemory implements Memory {
  readonly words: VirtualWords;
  /** One of {@link OP}; `none` when no step is written down. */
  op: number = OP.none;
  word: Word = 0;
  /** The first value of the step. */
  first = 0;
  second = 0;

  constructor(words: VirtualWords) {
    this.words = words;
  }

  load(word: Word): Step {
    return this.#write(OP.load, word, 0, 0);
  }

  store(word: Word, value: number): Step {
    return this.#write(OP.store, word, value, 0);
  }

  exchange(word: Word, value: number): Step {
    return this.#write(OP.exchange, word, value, 0);
  }

  compareExchange(word: Word, expected: number, value: number): Step {
    return this.#write(OP.compareExchange, word, expected, value);
  }

  add(word: Word, amount: number): Step {
    return this.#write(OP.add, word, amount, 0);
  }

  wait(word: Word, expected: number, timeoutNs: number): Step {
    return this.#write(OP.wait, word, expected, timeoutNs);
  }

  notify(word: Word, count: number): Step {
    return this.#write(OP.notify, word, count, 0);
  }

  /** Performs a step that is neither a wait nor a notify. Result: the step's. */
  performAtomic(op: number): number {
    const { values } = this.words;
    const { word, first } = this;
    const before = values[word] as number;
    switch (op) {
      case OP.load:
        return before;
      case OP.store:
        values[word] = first;
        return first;
      case OP.exchange:
        values[word] = first;
        return before;
      case OP.compareExchange:
        if (before === first) values[word] = this.second;
        return before;
      default:
        values[word] = before + first;
        return before;
    }
  }

  #write(op: number, word: Word, first: number, second: number): Step {
    // Two steps between two yields would be performed as one: that is no policy any more.
    if (this.op !== OP.none) throw new Error('makes two steps at one yield');
    if (!(word >= 0 && word < this.words.values.length)) throw new RangeError(`there is no word ${word}`);
    this.op = op;
    this.word = word;
    this.first = first;
    this.second = second;
    return op;
  }
}
