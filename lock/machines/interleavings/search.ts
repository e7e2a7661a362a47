/**
 * The search: every state that any order of steps can lead to, breadth first, so that the first schedule found to break a
 * property is a shortest one.
 *
 * Exhaustive means, for the given threads: every order of their atomic steps, any number of time-outs, each at any moment, any choice
 * of the sleepers a notify wakes, and, if asked for, any number of spurious wake-ups. States are remembered whole, so none is
 * looked at twice, and loops end. (Partial-order reduction, the other way to make such a search small, leaves out orders that come to
 * the same. Once the positions of a thread are its real ones, not its histories, so few states are left that it is not needed;
 * and a search that leaves nothing out is easier to believe.)
 */
import type { Claim } from '../../policy.ts';
import { Watch } from './claims.ts';
import type { Piece } from './program.ts';
import { decodeState, encodeState, MAX_POSITIONS } from './states.ts';
import { MAX_STEPS, type Subject, type Unfolding } from './unfolding.ts';
import { type Actor, type Move, World } from './world.ts';

/** What is proved, or broken. */
export type Property =
  /** The policy is made of steps, and does not throw. */
  | 'well-formed'
  | 'one-holder'
  | 'no-deadlock'
  /** Nobody sleeps while the lock is free and nobody is about to wake them, be it only until a time-out. */
  | 'no-lost-wake-up'
  /** When all have released, a newcomer can acquire, without sleep. */
  | 'obtainable'
  /** From every state some order of steps brings every thread to its end. */
  | 'progress'
  /** Who waits sleeps: no thread comes back to the same state by steps of its own alone. */
  | 'no-busy-wait'
  | Claim['kind'];

/** Where the search stops without an answer. */
export interface Bounds {
  readonly states: number;
  /** How often a thread may be interrupted that could go on; `Infinity`: always. */
  readonly preemptions: number;
}

export type Verdict =
  /** No schedule breaks a property. Within the bound of pre-emptions, if there is one. */
  | { readonly kind: 'holds'; readonly states: number }
  | { readonly kind: 'broken'; readonly property: Property; readonly message: string; readonly moves: Move[] }
  /** A bound was reached first. Nothing is proved. */
  | { readonly kind: 'outgrown'; readonly message: string; readonly states: number };

/** What is searched. */
export interface Search {
  readonly subject: Subject;
  readonly actors: readonly Actor[];
  /** The thread that tries the lock at the end. */
  readonly newcomer: Unfolding;
  readonly spurious: boolean;
  readonly bounds: Bounds;
}

type Finding =
  | { readonly kind: 'broken'; readonly property: Property; readonly message: string }
  | { readonly kind: 'outgrown'; readonly message: string };

const broken = (property: Property, message: string): Finding => ({ kind: 'broken', property, message });
const outgrown = (message: string): Finding => ({ kind: 'outgrown', message });

/** Looks at every state. */
export function search(task: Search): Verdict {
  const { subject, actors, spurious, bounds } = task;
  const world = new World(actors, Object.keys(subject.policy.words).length);
  const watch = new Watch(subject, actors.length);
  const judge = new Judge(task);
  const bounded = bounds.preemptions < Infinity;
  const graph = new Graph();
  const known = new Map<string, number>();
  const start = encodeState(world, watch) + (bounded ? encodePast(NOBODY, 0) : '');
  known.set(start, graph.add(-1, undefined));

  // A Map hands out what is added to it while it is gone through: it is the queue as well.
  for (const [state, number] of known) {
    decodeState(state, world, watch);
    const past = bounded ? decodePast(state) : { runner: NOBODY, preemptions: 0 };
    const found = judge.look(world);
    if (found?.kind === 'outgrown') return { ...found, states: known.size };
    if (found !== undefined) return { ...found, moves: graph.path(number) };
    if (isOver(world)) graph.reachesEnd(number);
    const before = watch.before(world);
    const runnerCanGoOn = past.runner !== NOBODY && !world.isAsleep(past.runner) && !world.isEnded(past.runner);
    for (const move of world.moves(spurious)) {
      const preempts = runnerCanGoOn && move.thread !== past.runner;
      const preemptions = past.preemptions + (preempts ? 1 : 0);
      if (preemptions > bounds.preemptions) continue;
      decodeState(state, world, watch);
      world.apply(move);
      const claim = watch.after(move, before, world);
      if (claim !== undefined) return { kind: 'broken', ...claim, moves: [...graph.path(number), move] };
      if (world.positions.some(({ id }) => id >= MAX_POSITIONS)) {
        const message = `thread ${move.thread + 1} can be in more than ${MAX_POSITIONS.toLocaleString('en')} positions`;
        return { kind: 'outgrown', message, states: known.size };
      }
      const next = encodeState(world, watch) + (bounded ? encodePast(move.thread, preemptions) : '');
      let nextNumber = known.get(next);
      if (nextNumber === undefined) {
        nextNumber = graph.add(number, move);
        known.set(next, nextNumber);
      }
      graph.link(nextNumber, move);
    }
    graph.endOf(number);
    if (known.size > bounds.states) {
      return {
        kind: 'outgrown',
        message: `more than ${bounds.states.toLocaleString('en')} states`,
        states: known.size,
      };
    }
  }
  if (bounded) return { kind: 'holds', states: known.size };
  const doomed = graph.firstDoomed();
  if (doomed === undefined) {
    const loop = graph.firstLoop(actors.length);
    if (loop === undefined) return { kind: 'holds', states: known.size };
    const message = `thread ${loop.thread + 1} goes round in a circle without sleeping`;
    return { kind: 'broken', property: 'no-busy-wait', message, moves: graph.path(loop.state) };
  }
  const message = 'from here no order of steps brings every thread to its end';
  return { kind: 'broken', property: 'progress', message, moves: graph.path(doomed) };
}

/**
 * Follows one schedule, and looks at each state on the way.
 *
 * @returns the first property that is broken; undefined if none is, or only one of all schedules together (`progress`)
 */
export function follow(task: Search, moves: readonly Move[]): { property: Property; message: string } | undefined {
  const world = new World(task.actors, Object.keys(task.subject.policy.words).length);
  const watch = new Watch(task.subject, task.actors.length);
  const judge = new Judge(task);
  for (const move of moves) {
    const before = watch.before(world);
    world.apply(move);
    const claim = watch.after(move, before, world);
    if (claim !== undefined) return claim;
    const found = judge.look(world);
    if (found?.kind === 'broken') return { property: found.property, message: found.message };
  }
  return undefined;
}

const NOBODY = 0xffff;

function encodePast(runner: number, preemptions: number): string {
  return String.fromCharCode(runner, preemptions);
}

function decodePast(state: string): { runner: number; preemptions: number } {
  return { runner: state.charCodeAt(state.length - 2), preemptions: state.charCodeAt(state.length - 1) };
}

function isOver(world: World): boolean {
  return world.actors.every((_, thread) => world.isEnded(thread));
}

/** Looks at states one by one for what must hold in each. */
class Judge {
  readonly #task: Search;

  constructor(task: Search) {
    this.#task = task;
  }

  look(world: World): Finding | undefined {
    const holders: number[] = [];
    let awake = 0;
    let alive = 0;
    for (const [thread, { place }] of world.positions.entries()) {
      const name = `${world.piece(thread)?.kind} of thread ${thread + 1}`;
      if (place.kind === 'fault') return broken('well-formed', `${name} ${place.message}`);
      if (place.kind === 'endless') return outgrown(`${name} ${place.message}`);
      if (world.holds(thread)) holders.push(thread + 1);
      if (world.isEnded(thread)) continue;
      alive++;
      if (!world.isAsleep(thread)) awake++;
    }
    if (this.#task.subject.policy.exclusive && holders.length > 1) {
      return broken('one-holder', `threads ${holders.join(' and ')} hold the lock at once`);
    }
    if (awake > 0) return undefined;
    if (alive > 0) return this.#everybodySleeps(world);
    if (this.#isObtainable(world)) return undefined;
    return broken('obtainable', 'all have released, and a newcomer cannot acquire the lock');
  }

  #everybodySleeps(world: World): Finding {
    const sleepers = world.actors.flatMap((_, thread) => (world.isAsleep(thread) ? [thread] : []));
    const timed = sleepers.filter((thread) => {
      const step = world.stepOf(thread);
      return step?.kind === 'wait' && step.timeoutNs < Infinity;
    });
    const who = `thread${sleepers.length > 1 ? 's' : ''} ${sleepers.map((thread) => thread + 1).join(' and ')}`;
    if (!this.#isObtainable(world)) {
      if (timed.length === 0) return broken('no-deadlock', `${who} sleep for ever and nobody holds the lock`);
    }
    const until = timed.length > 0 ? 'until a time-out' : 'for ever';
    return broken('no-lost-wake-up', `${who} sleep ${until}, and nobody is left who would wake them`);
  }

  /** Whether somebody who comes now gets the lock and can release it, alone and without sleep. */
  #isObtainable({ words }: World): boolean {
    const { newcomer } = this.#task;
    const pieces: Piece[] = [{ kind: 'acquire' }, { kind: 'release' }];
    const alone = new World([{ unfolding: newcomer, pieces }], words.length);
    alone.words.set(words);
    for (let steps = 0; steps < MAX_STEPS && !alone.isEnded(0); steps++) {
      if (alone.isAsleep(0) || alone.stepOf(0) === undefined) return false;
      alone.apply({ kind: 'step', thread: 0, wakes: 0 });
    }
    return alone.isEnded(0);
  }
}

/** How states were reached, and which lead to which. */
class Graph {
  /** For each state the one it was first reached from, and the move. */
  readonly #from: number[] = [];
  readonly #moves: (Move | undefined)[] = [];
  /** The successors of all states, one after the other, and where each state's end. */
  readonly #successors: number[] = [];
  readonly #ends: number[] = [];
  readonly #goals: number[] = [];
  /** For each successor, the thread whose step leads there; {@link NOBODY} if it is no thread's step. */
  readonly #movers: number[] = [];

  add(from: number, move: Move | undefined): number {
    this.#moves.push(move);
    return this.#from.push(from) - 1;
  }

  link(to: number, move: Move): void {
    this.#successors.push(to);
    this.#movers.push(move.kind === 'step' ? move.thread : NOBODY);
  }

  endOf(state: number): void {
    this.#ends[state] = this.#successors.length;
  }

  reachesEnd(state: number): void {
    this.#goals.push(state);
  }

  path(state: number): Move[] {
    const moves: Move[] = [];
    for (let at = state; at >= 0; at = this.#from[at] as number) {
      const move = this.#moves[at];
      if (move !== undefined) moves.push(move);
    }
    return moves.reverse();
  }

  /** The first state, in the order of the search, from which the end of all threads cannot be reached. */
  firstDoomed(): number | undefined {
    const count = this.#from.length;
    // Predecessors in the same form as successors: counted, then filled in.
    const ends = new Int32Array(count + 1);
    for (const to of this.#successors) (ends[to + 1] as number)++;
    for (let i = 1; i <= count; i++) (ends[i] as number) += ends[i - 1] as number;
    const next = ends.slice(0, count);
    const predecessors = new Int32Array(this.#successors.length);
    let at = 0;
    for (let state = 0; state < count; state++) {
      for (; at < (this.#ends[state] as number); at++) {
        predecessors[(next[this.#successors[at] as number] as number)++] = state;
      }
    }
    const saved = new Uint8Array(count);
    const queue = [...this.#goals];
    for (const goal of queue) saved[goal] = 1;
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (let i = ends[state] as number; i < (ends[state + 1] as number); i++) {
        const predecessor = predecessors[i] as number;
        if (saved[predecessor] === 1) continue;
        saved[predecessor] = 1;
        queue.push(predecessor);
      }
    }
    const doomed = saved.indexOf(0);
    return doomed < 0 ? undefined : doomed;
  }

  /** The first state found to which a thread comes back by its own steps. */
  firstLoop(threads: number): { state: number; thread: number } | undefined {
    const count = this.#from.length;
    for (let thread = 0; thread < threads; thread++) {
      // A thread alone has one way from each state, a chain to follow. Where a notify has a choice, one of them will do.
      const next = new Int32Array(count).fill(-1);
      let at = 0;
      for (let state = 0; state < count; state++) {
        for (; at < (this.#ends[state] as number); at++) {
          if (this.#movers[at] === thread) next[state] = this.#successors[at] as number;
        }
      }
      // Each chain is marked with the state where it was begun: to meet one's own mark is to have gone round.
      const begun = new Int32Array(count).fill(-1);
      for (let state = 0; state < count; state++) {
        let here = state;
        while (here >= 0 && begun[here] === -1) {
          begun[here] = state;
          here = next[here] as number;
        }
        if (here >= 0 && begun[here] === state) return { state: here, thread };
      }
    }
    return undefined;
  }
}
