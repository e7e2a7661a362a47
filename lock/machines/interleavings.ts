/**
 * The machine that runs policies in every order: two to four model threads, one atomic step at a time, the same generators that run on
 * real threads. It proves what holds in every schedule, or shows a shortest schedule in which it does not.
 *
 * | file | idea |
 * | --- | --- |
 * | model-thread, program | what the threads do: pieces of the policy, one after the other |
 * | steps | steps written down instead of performed |
 * | unfolding, local-state | the positions a thread can be in, told apart by place and variables |
 * | world | words, positions, sleepers; what can happen next |
 * | search, states | every state, breadth first; the properties |
 * | claims | what a policy promises beside being a lock |
 * | audit | the unfolding against the policy in one run |
 * | schedule, narrate | a schedule as text, and told for people |
 */
import { layOut } from '../memory.ts';
import { auditAtRandom, auditSchedule } from './interleavings/audit.ts';
import { formatModel, MAX_MODEL_THREADS, type ModelThread, parseModel } from './interleavings/model-thread.ts';
import { modelsFor } from './interleavings/models.ts';
import { type Line, narrate } from './interleavings/narrate.ts';
import { piecesOf } from './interleavings/program.ts';
import { formatSchedule, parseSchedule } from './interleavings/schedule.ts';
import { type Bounds, follow, type Property, type Search, search } from './interleavings/search.ts';
import { type OnResume, type Subject, Unfolding } from './interleavings/unfolding.ts';
import type { Actor, Move } from './interleavings/world.ts';

export type { Bounds, Line, ModelThread, Property, Subject };
export { formatModel, modelsFor, parseModel };

/** What is found out about a policy with the threads of one model. Plain data. */
export type Finding =
  /** In no schedule of these threads a property is broken. `bounded`: of those within the bound of pre-emptions. */
  | { readonly kind: 'proved'; readonly states: number; readonly bounded: boolean }
  | {
      readonly kind: 'broken';
      readonly property: Property;
      readonly message: string;
      /** The model and the schedule as text; {@link Interleavings.replay} tells it. */
      readonly replay: string;
      readonly schedule: readonly Line[];
    }
  /** A bound was reached. Nothing is proved. */
  | { readonly kind: 'outgrown'; readonly message: string; readonly states: number };

/** A schedule followed again, and what it breaks. */
export interface Replayed {
  readonly schedule: readonly Line[];
  readonly broken: { readonly property: Property; readonly message: string } | null;
}

/** What may be set, and what it is if it is not. */
export const DEFAULT_BOUNDS: Bounds = { states: 4_000_000, preemptions: Infinity };

/** A policy, to be run in every order. What is learned of it with one model serves the next. */
export class Interleavings {
  readonly #subject: Subject;
  /** One for each thread number. */
  readonly #unfoldings: readonly Unfolding[];

  /** @param onResume is told before and after the policy's own code runs, in case that does not come back */
  constructor(subject: Subject, onResume?: OnResume) {
    this.#subject = subject;
    this.#unfoldings = Array.from({ length: MAX_MODEL_THREADS + 1 }, (_, i) => new Unfolding(subject, i + 1, onResume));
  }

  /**
   * Searches all schedules of a model's threads.
   *
   * @param spurious whether sleeps may also end for no reason, as POSIX allows
   */
  explore(model: readonly ModelThread[], bounds: Bounds = DEFAULT_BOUNDS, spurious = false): Finding {
    const task = this.#task(model, bounds, spurious);
    const verdict = search(task);
    // What is found out is true of the unfolding. A policy that does otherwise in one run is not what was searched.
    const difference =
      verdict.kind === 'broken'
        ? auditSchedule(this.#subject, task.actors, verdict.moves)
        : auditAtRandom(this.#subject, task.actors, spurious);
    if (difference !== undefined) return this.#broken(model, task.actors, 'well-formed', difference, []);
    if (verdict.kind === 'broken') {
      return this.#broken(model, task.actors, verdict.property, verdict.message, verdict.moves);
    }
    if (verdict.kind === 'outgrown') return verdict;
    return { kind: 'proved', states: verdict.states, bounded: bounds.preemptions < Infinity };
  }

  /**
   * Follows a schedule again.
   *
   * @param text as {@link Finding} gives it
   * @returns undefined if it is no schedule of this policy
   */
  replay(text: string): Replayed | undefined {
    const [modelText = '', scheduleText = ''] = text.split(':');
    const model = parseModel(modelText);
    const moves = parseSchedule(scheduleText);
    if (model === undefined || moves === undefined) return undefined;
    const task = this.#task(model, DEFAULT_BOUNDS, true);
    const schedule = narrate(this.#subject, task.actors, moves);
    return schedule && { schedule, broken: follow(task, moves) ?? null };
  }

  #task(model: readonly ModelThread[], bounds: Bounds, spurious: boolean): Search {
    const { policy, options } = this.#subject;
    const rules = policy.rules(layOut(policy.words), options);
    const actors = model.map((thread, i) => ({
      unfolding: this.#unfoldings[i] as Unfolding,
      pieces: piecesOf(thread, rules),
    }));
    const newcomer = this.#unfoldings[model.length] as Unfolding;
    return { subject: this.#subject, actors, newcomer, spurious, bounds };
  }

  #broken(
    model: readonly ModelThread[],
    actors: readonly Actor[],
    property: Property,
    message: string,
    moves: readonly Move[],
  ): Finding {
    const replay = `${formatModel(model)}:${formatSchedule(moves)}`;
    return { kind: 'broken', property, message, replay, schedule: narrate(this.#subject, actors, moves) ?? [] };
  }
}
