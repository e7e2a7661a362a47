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
import { formatDuration } from '../../duration.ts';
import { layOut } from '../../memory.ts';
import type { Claim, Rules } from '../../policy.ts';
import { Watch } from './claims.ts';
import { Graph } from './graph.ts';
import type { Piece } from './program.ts';
import { MAX_POSITIONS, States } from './states.ts';
import { MAX_STEPS, type Subject, type Unfolding } from './unfolding.ts';
import { type Actor, type Move, sizeOf, threadsIn, World } from './world.ts';

/** What is proved, or broken. */
export type Property =
  /** The policy is made of steps, and does not throw. */
  | 'well-formed'
  | 'one-holder'
  | 'no-deadlock'
  /**
   * Nobody sleeps while the lock is free and nobody is about to wake them, be it only until a time-out; unless the policy polls, and
   * one of them looks again as soon as it says.
   */
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
  const watch = new Watch(subject, actors);
  const judge = new Judge(task);
  const bounded = bounds.preemptions < Infinity;
  const graph = new Graph();
  const states = new States(world, watch, bounded ? 2 : 0);
  states.find(world, watch, NOBODY, 0);
  graph.add(-1, undefined);

  // States have the numbers of the order in which they were found: going through them is breadth first.
  for (let state = 0; state < states.size; state++) {
    states.restore(state, world, watch);
    const found = judge.look(world);
    if (found?.kind === 'outgrown') return { ...found, states: states.size };
    if (found !== undefined) return { ...found, moves: graph.path(state) };
    if (isOver(world)) graph.reachesEnd(state);
    const before = watch.before(world);
    const runner = bounded ? states.past(state, 2) : NOBODY;
    const preempted = bounded ? states.past(state, 1) : 0;
    const runnerCanGoOn = runner !== NOBODY && !world.isAsleep(runner) && !world.isEnded(runner);
    let isMoved = false;
    for (const move of world.moves(spurious)) {
      const preemptions = preempted + (runnerCanGoOn && move.thread !== runner ? 1 : 0);
      if (preemptions > bounds.preemptions) continue;
      if (isMoved) states.restore(state, world, watch);
      isMoved = true;
      world.apply(move);
      const claim = watch.after(move, before, world);
      if (claim !== undefined) return { kind: 'broken', ...claim, moves: [...graph.path(state), move] };
      if (world.positions.some(({ id }) => id >= MAX_POSITIONS)) {
        const message = `thread ${move.thread + 1} can be in more than ${MAX_POSITIONS.toLocaleString('en')} positions`;
        return { kind: 'outgrown', message, states: states.size };
      }
      const known = states.size;
      const next = states.find(world, watch, move.thread, preemptions);
      if (next === known) graph.add(state, move);
      graph.link(next, move);
    }
    graph.endOf(state);
    if (states.size > bounds.states) {
      // Breadth first: whatever takes fewer steps than the way to this state has been looked at.
      const steps = graph.path(state).length - 1;
      const message = `more than ${bounds.states.toLocaleString('en')} states, with every schedule of up to ${steps} steps among them`;
      return { kind: 'outgrown', message, states: states.size };
    }
  }
  if (bounded) return { kind: 'holds', states: states.size };
  const doomed = graph.firstDoomed();
  if (doomed === undefined) {
    const loop = graph.firstLoop(actors.length);
    if (loop === undefined) return { kind: 'holds', states: states.size };
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
  const watch = new Watch(task.subject, task.actors);
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

/** Stands for no thread. */
const NOBODY = -1;

function isOver(world: World): boolean {
  for (let thread = 0; thread < world.actors.length; thread++) if (!world.isEnded(thread)) return false;
  return true;
}

/** Looks at states one by one for what must hold in each. */
class Judge {
  readonly #task: Search;
  readonly #rules: Rules;

  constructor(task: Search) {
    this.#task = task;
    const { policy, options } = task.subject;
    this.#rules = policy.rules(layOut(policy.words), options);
  }

  look(world: World): Finding | undefined {
    let holders = 0;
    let awake = 0;
    let alive = 0;
    for (let thread = 0; thread < world.actors.length; thread++) {
      if (world.isEnded(thread)) continue;
      const place = world.positions[thread]?.place;
      if (place?.kind === 'fault') return broken('well-formed', faultOf(world, thread, place.message));
      if (place?.kind === 'endless') return outgrown(`${nameOf(world, thread)} ${place.message}`);
      if (world.holds(thread)) holders |= 1 << thread;
      alive++;
      if (!world.isAsleep(thread)) awake++;
    }
    if (this.#task.subject.policy.exclusive && sizeOf(holders) > 1) {
      return broken('one-holder', `${namesOf(threadsIn(holders))} hold the lock at once`);
    }
    if (awake > 0) return undefined;
    if (alive > 0) return this.#everybodySleeps(world);
    if (this.#isObtainable(world)) return undefined;
    return broken('obtainable', 'all have released, and a newcomer cannot acquire the lock');
  }

  #everybodySleeps(world: World): Finding | undefined {
    const sleepers = threadsIn(world.asleep);
    let shortestNs = Infinity;
    for (const thread of sleepers) {
      const step = world.stepOf(thread);
      if (step?.kind === 'wait') shortestNs = Math.min(shortestNs, step.timeoutNs);
    }
    const isObtainable = this.#isObtainable(world);
    if (!isObtainable && shortestNs === Infinity) {
      return broken('no-deadlock', `${namesOf(sleepers)} sleep for ever and nobody holds the lock`);
    }
    const { pollsEveryNs } = this.#rules;
    // Who polls comes back by itself; whether that helps all of them, progress decides.
    if (isObtainable && pollsEveryNs !== undefined && shortestNs <= pollsEveryNs) return undefined;
    const until =
      shortestNs === Infinity
        ? 'for ever'
        : pollsEveryNs === undefined
          ? 'until a time-out'
          : `for ${formatDuration(shortestNs)}, where one of them was to look after ${formatDuration(pollsEveryNs)}`;
    return broken('no-lost-wake-up', `${namesOf(sleepers)} sleep ${until}, and nobody is left who would wake them`);
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

function nameOf(world: World, thread: number): string {
  return `${world.piece(thread)?.kind} of thread ${thread + 1}`;
}

function faultOf(world: World, thread: number, message: string): string {
  const steps = world.positions[thread]?.depth ?? 0;
  return `${nameOf(world, thread)} ${message}, after ${steps} step${steps === 1 ? '' : 's'}`;
}

function namesOf(threads: readonly number[]): string {
  return `thread${threads.length > 1 ? 's' : ''} ${threads.map((thread) => thread + 1).join(' and ')}`;
}
