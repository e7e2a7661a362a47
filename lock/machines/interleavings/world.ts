/**
 * The state of a model: what is in the words, where each thread stands, who sleeps. And what can happen next in it.
 *
 * Sleep and wake-up are those of a futex, and weaker than what `Atomics` promises: a notify of fewer than all wakes any, not the
 * first that came, because neither futex(2) nor pthreads promise an order. What is proved for any order holds for each; and that
 * a set of sleepers has fewer states than a queue makes up for the choice. A time-out can come at any moment of a sleep: the
 * model has no clock, so that what is proved holds for every interval.
 */
import { NOT_EQUAL, TIMED_OUT, WOKEN } from '../../memory.ts';
import { type Piece, skippedAfter } from './program.ts';
import type { RecordedStep } from './steps.ts';
import type { Position, Unfolding } from './unfolding.ts';

/** What happens next: a thread does its step, or its sleep ends without a notify. Threads are 0, 1, … here; people count from 1. */
export type Move =
  | {
      readonly kind: 'step';
      readonly thread: number;
      /** Which sleepers a notify wakes, a bit for each thread, where there is a choice; else 0. */
      readonly wakes: number;
    }
  | { readonly kind: 'timeOut' | 'spurious'; readonly thread: number };

/** Moves are compared and kept by the million: there is one of each. */
const MOVES = new Map<number, Move>();

/** The move of this kind; for a step, `wakes` says which sleepers it wakes. */
function moveOf(kind: Move['kind'], thread: number, wakes = 0): Move {
  const key = (wakes << 8) | (thread << 2) | (kind === 'step' ? 0 : kind === 'timeOut' ? 1 : 2);
  let move = MOVES.get(key);
  if (move === undefined) {
    move = kind === 'step' ? { kind, thread, wakes } : { kind, thread };
    MOVES.set(key, move);
  }
  return move;
}

/** A thread of the model, as the world runs it. */
export interface Actor {
  readonly unfolding: Unfolding;
  readonly pieces: readonly Piece[];
}

/** Where a thread stands when its life is over. */
const END: Position = { id: 0, place: { kind: 'end' }, hasSlept: false, depth: 0 };

/** One state, changed in place. */
export class World {
  readonly actors: readonly Actor[];
  readonly words: Int32Array;
  /** For each thread, which of its pieces it is in; their number at the end of its life. */
  readonly pieceOf: number[];
  readonly positions: Position[];
  /** A bit for each thread. */
  asleep = 0;
  /** For each thread and piece, what the thread has set its priority to before it. */
  readonly #priorities: readonly (readonly number[])[];
  /** For each thread and piece, where it begins, as soon as that is known. */
  readonly #starts: Position[][];

  /** The state at the start: all words 0, every thread before its first step. */
  constructor(actors: readonly Actor[], words: number) {
    this.actors = actors;
    this.words = new Int32Array(words);
    this.pieceOf = actors.map(() => 0);
    this.positions = actors.map(() => END);
    this.#priorities = actors.map(({ pieces }) =>
      Array.from({ length: pieces.length + 1 }, (_, i) => priorityBefore(pieces, i)),
    );
    this.#starts = actors.map(() => []);
    for (const thread of actors.keys()) this.#enter(thread, 0);
  }

  isAsleep(thread: number): boolean {
    return (this.asleep & (1 << thread)) !== 0;
  }

  isEnded(thread: number): boolean {
    return this.pieceOf[thread] === this.actors[thread]?.pieces.length;
  }

  /** The piece a thread is in; undefined at its end. */
  piece(thread: number): Piece | undefined {
    return this.actors[thread]?.pieces[this.pieceOf[thread] as number];
  }

  /** Whether a thread is between two pieces: it works with the lock, or is in a call without, or has ended. */
  isOutside(thread: number): boolean {
    return this.positions[thread]?.depth === 0;
  }

  /** Whether a thread holds the lock: from the return of acquire until the first step of release is done. */
  holds(thread: number): boolean {
    const kind = this.piece(thread)?.kind;
    return kind === 'look' || kind === 'set priority' || (kind === 'release' && this.isOutside(thread));
  }

  /** Puts a thread where it once was. */
  moveTo(thread: number, piece: number, position: number): void {
    const { unfolding, pieces } = this.actors[thread] as Actor;
    this.pieceOf[thread] = piece;
    this.positions[thread] = piece === pieces.length ? END : unfolding.position(position);
  }

  /** What a thread has set its priority to. */
  priority(thread: number): number {
    return this.#priorities[thread]?.[this.pieceOf[thread] as number] as number;
  }

  /** The step before which a thread stands; undefined if there is none. */
  stepOf(thread: number): RecordedStep | undefined {
    const place = this.positions[thread]?.place;
    return place?.kind === 'step' ? place.step : undefined;
  }

  /**
   * Everything that can happen next.
   *
   * @param spurious whether sleeps may end for no reason
   */
  moves(spurious: boolean): Move[] {
    const moves: Move[] = [];
    for (let thread = 0; thread < this.actors.length; thread++) {
      const step = this.stepOf(thread);
      if (step === undefined) continue;
      if (!this.isAsleep(thread)) {
        if (step.kind !== 'notify') moves.push(moveOf('step', thread));
        else for (const wakes of this.#choicesOf(step)) moves.push(moveOf('step', thread, wakes));
      } else if (step.kind === 'wait') {
        if (step.timeoutNs < Infinity) moves.push(moveOf('timeOut', thread));
        if (spurious) moves.push(moveOf('spurious', thread));
      }
    }
    return moves;
  }

  /**
   * Makes a move.
   *
   * @param told of each thread whose step came to its result, in the order in which they did
   */
  apply(move: Move, told?: (thread: number, result: number) => void): void {
    const { thread } = move;
    const step = this.stepOf(thread);
    if (step === undefined) throw new RangeError(`thread ${thread + 1} has no step to do`);
    if (move.kind !== 'step') {
      this.asleep &= ~(1 << thread);
      this.#advance(thread, move.kind === 'timeOut' ? TIMED_OUT : WOKEN, told);
    } else if (step.kind === 'wait' && this.words[step.word] === step.expected) {
      this.asleep |= 1 << thread;
    } else if (step.kind === 'notify') {
      const woken = move.wakes !== 0 ? move.wakes : step.count === 0 ? 0 : this.#sleepersOn(step.word);
      this.asleep &= ~woken;
      for (let sleeper = 0; woken >> sleeper !== 0; sleeper++) {
        if ((woken >> sleeper) & 1) this.#advance(sleeper, WOKEN, told);
      }
      this.#advance(thread, sizeOf(woken), told);
    } else {
      this.#advance(thread, this.#perform(step), told);
    }
  }

  #advance(thread: number, result: number, told: ((thread: number, result: number) => void) | undefined): void {
    const { unfolding } = this.actors[thread] as Actor;
    const next = unfolding.after((this.positions[thread] as Position).id, result);
    if (next.place.kind !== 'end') {
      this.positions[thread] = next;
    } else {
      this.#enter(thread, (this.pieceOf[thread] as number) + 1 + skippedAfter(this.piece(thread) as Piece, result));
    }
    told?.(thread, result);
  }

  /** Puts a thread at the start of a piece, or of the next that has steps. */
  #enter(thread: number, first: number): void {
    const { pieces } = this.actors[thread] as Actor;
    for (let i = first; i < pieces.length; i++) {
      const start = this.#startOf(thread, i);
      if (start.place.kind === 'end') continue;
      this.pieceOf[thread] = i;
      this.positions[thread] = start;
      return;
    }
    this.pieceOf[thread] = pieces.length;
    this.positions[thread] = END;
  }

  #startOf(thread: number, piece: number): Position {
    const starts = this.#starts[thread] as Position[];
    const { unfolding, pieces } = this.actors[thread] as Actor;
    starts[piece] ??= unfolding.start(pieces[piece] as Piece, this.#priorities[thread]?.[piece] as number);
    return starts[piece] as Position;
  }

  #perform(step: Exclude<RecordedStep, { kind: 'notify' }>): number {
    const { words } = this;
    if (step.kind === 'pause') return 0;
    if (step.kind === 'wait') return NOT_EQUAL;
    const before = words[step.word] as number;
    switch (step.kind) {
      case 'load':
        return before;
      case 'store':
        words[step.word] = step.value;
        return step.value;
      case 'exchange':
        words[step.word] = step.value;
        return before;
      case 'compareExchange':
        if (before === step.expected) words[step.word] = step.value;
        return before;
      case 'add':
        words[step.word] = before + step.amount;
        return before;
    }
  }

  /** The sets of sleepers a notify can wake. One set, 0, where there is nothing to choose. */
  #choicesOf({ word, count }: Extract<RecordedStep, { kind: 'notify' }>): readonly number[] {
    const all = this.#sleepersOn(word);
    if (count === 0 || count >= sizeOf(all)) return NO_CHOICE;
    const sets: number[] = [];
    for (let set = 1; set <= all; set++) if ((set & all) === set && sizeOf(set) === count) sets.push(set);
    return sets;
  }

  /** A bit for each thread that sleeps on the word. */
  #sleepersOn(word: number): number {
    let sleepers = 0;
    for (let thread = 0; this.asleep >> thread !== 0; thread++) {
      const step = this.isAsleep(thread) ? this.stepOf(thread) : undefined;
      if (step?.kind === 'wait' && step.word === word) sleepers |= 1 << thread;
    }
    return sleepers;
  }
}

const NO_CHOICE: readonly number[] = [0];

/** The threads whose bits are set. */
export function threadsIn(set: number): number[] {
  const threads: number[] = [];
  for (let thread = 0; set >> thread !== 0; thread++) if ((set >> thread) & 1) threads.push(thread);
  return threads;
}

/** How many bits are set. */
export function sizeOf(set: number): number {
  let size = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) size++;
  return size;
}

function priorityBefore(pieces: readonly Piece[], end: number): number {
  let priority = 0;
  for (let i = 0; i < end; i++) {
    const piece = pieces[i];
    if (piece?.kind === 'set priority') priority = piece.priority;
  }
  return priority;
}
