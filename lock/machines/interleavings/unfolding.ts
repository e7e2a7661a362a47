/**
 * A policy's pieces unfolded into the positions in which a thread can be in them.
 *
 * A generator cannot be copied, and a search must go back. But a piece of a policy is a function of the results it is given: each
 * sequence of results since it began is a {@link Position}, found by running the piece once, and from then on a step of the search
 * is a look into a table. Positions in which the policy makes the same step from the same place with the same variables
 * (`local-state.ts`) are one.
 *
 * The local state does not show what is kept in the middle of an expression. So where two ways meet, the policy is run on both for one
 * step more, and must do the same.
 *
 * That a piece starts afresh is an assumption: what a thread keeps for itself from one piece to the next is its priority,
 * everything else is in the shared words. `audit.ts` looks whether a policy keeps to it.
 */
import { layOut, NOT_EQUAL, type Steps } from '../../memory.ts';
import type { Policy, Rules } from '../../policy.ts';
import { GeneratorWatch } from './local-state.ts';
import { type Piece, run } from './program.ts';
import { type RecordedStep, StepFault, StepRecorder } from './steps.ts';

/** A policy with its options' values. */
export interface Subject {
  readonly policy: Policy;
  readonly options: Readonly<Record<string, number>>;
}

/** Where a thread stands in a piece. */
export type Place =
  | { readonly kind: 'step'; readonly step: RecordedStep }
  | { readonly kind: 'end' }
  /** The policy threw, or made its steps wrongly, or made more steps than {@link MAX_STEPS}. */
  | { readonly kind: 'fault' | 'endless'; readonly message: string };

export interface Position {
  /** Its number among the positions of its unfolding. */
  readonly id: number;
  readonly place: Place;
  /** Whether the thread has slept since the piece began. */
  readonly hasSlept: boolean;
  /** Steps done since the piece began, on the way on which the position was found. */
  readonly depth: number;
}

/** Is told that the policy's own code is about to run, and that it has come back. */
export interface OnResume {
  /** @param steps how many the piece has made so far */
  enter(thread: number, piece: Piece['kind'], steps: number): void;
  leave(): void;
}

/** A piece that has made so many steps and is not back where it was before is given up. */
export const MAX_STEPS = 1_000;

interface Node extends Position {
  readonly root: Root;
  /** The result of the last step, and where that was done; null at the start of a piece. */
  readonly last: Way | null;
  /** Other ways that lead here. */
  readonly others: Way[];
  readonly after: Map<number, Node>;
}

/** A way to a position: a step before it, and its result. */
interface Way {
  readonly at: Node;
  readonly result: number;
}

interface Root {
  readonly piece: Piece;
  /** What the thread had set its priority to before. */
  readonly priority: number;
  /** Positions by their local state. */
  readonly known: Map<string, Node>;
}

/** Where a run of a piece has come to. */
interface Replay {
  readonly place: Place;
  readonly localState: string | undefined;
}

/** The positions of the thread with one number, in all pieces and at all priorities, found as they are asked for. */
export class Unfolding {
  readonly #subject: Subject;
  readonly #me: number;
  readonly #onResume: OnResume | undefined;
  readonly #nodes: Node[] = [];
  readonly #starts = new Map<string, Node>();

  /** @param me the thread's number, from 1 */
  constructor(subject: Subject, me: number, onResume?: OnResume) {
    this.#subject = subject;
    this.#me = me;
    this.#onResume = onResume;
  }

  /** The position with this number. */
  position(id: number): Position {
    return this.#nodes[id] as Node;
  }

  /** Where a piece begins, for a thread of this priority. */
  start(piece: Piece, priority: number): Position {
    const key = `${piece.kind} ${piece.kind === 'set priority' ? piece.priority : ''} ${priority}`;
    let node = this.#starts.get(key);
    if (node === undefined) {
      const root = { piece, priority, known: new Map<string, Node>() };
      node = this.#add(root, this.#replay(root, []).place, false, null);
      this.#starts.set(key, node);
    }
    return node;
  }

  /**
   * Where the thread stands when its step had this result.
   *
   * @param id number of the position it comes from
   */
  after(id: number, result: number): Position {
    const node = this.#nodes[id] as Node;
    let next = node.after.get(result);
    if (next === undefined) {
      next = this.#find(node, result);
      node.after.set(result, next);
    }
    return next;
  }

  #find(from: Node, result: number): Node {
    const { root } = from;
    const way = { at: from, result };
    const { place, localState } = this.#replay(root, resultsOf(way), true);
    // Whoever came here on another way must go on alike, or else they were not at the same place.
    for (const other of from.others) {
      const theirs = this.#replay(root, [...resultsOf(other), result]).place;
      if (writePlace(theirs) !== writePlace(place)) return this.#add(root, notTheSame(place, theirs), false, way);
    }
    const slept = from.place.kind === 'step' && from.place.step.kind === 'wait' && result !== NOT_EQUAL;
    const hasSlept = from.hasSlept || slept;
    const key = localState === undefined ? undefined : `${hasSlept} ${writePlace(place)} ${localState}`;
    const known = key === undefined ? undefined : root.known.get(key);
    if (known === undefined) {
      const node = this.#add(root, place, hasSlept, way);
      if (key !== undefined) root.known.set(key, node);
      return node;
    }
    for (const [next, { place: there }] of known.after) {
      const mine = this.#replay(root, [...resultsOf(way), next]).place;
      if (writePlace(mine) !== writePlace(there)) return this.#add(root, notTheSame(there, mine), false, way);
    }
    known.others.push(way);
    return known;
  }

  #add(root: Root, place: Place, hasSlept: boolean, last: Way | null): Node {
    const depth = last === null ? 0 : last.at.depth + 1;
    const node = { id: this.#nodes.length, root, place, hasSlept, depth, last, others: [], after: new Map() };
    this.#nodes.push(node);
    return node;
  }

  #replay({ piece, priority }: Root, results: readonly number[], asksState = false): Replay {
    const watch = new GeneratorWatch();
    return watch.during(() => {
      const running = new RunningThread(this.#subject, this.#me, this.#onResume);
      if (priority !== 0) {
        let place = running.begin({ kind: 'set priority', priority });
        while (place.kind === 'step') place = running.next(resultAlone(place.step));
      }
      watch.reset();
      let place = running.begin(piece);
      for (const result of results) {
        watch.reset();
        place = running.next(result);
      }
      return { place, localState: place.kind === 'step' && asksState ? watch.localState() : '' };
    });
  }
}

/** All results since the piece began. */
function resultsOf(way: Way): number[] {
  const results: number[] = [];
  for (let last: Way | null = way; last !== null; last = last.at.last) results.push(last.result);
  return results.reverse();
}

function notTheSame(one: Place, other: Place): Place {
  const message =
    `goes on with «${writePlace(one)}» or «${writePlace(other)}» from the same place, with the same variables: it keeps a result ` +
    'in the middle of an expression, where it must be in a variable';
  return { kind: 'fault', message };
}

/** A thread that runs pieces of a policy one after the other, with the generators of one set of rules. It goes forward only. */
export class RunningThread {
  readonly #rules: Rules;
  readonly #recorder: StepRecorder;
  readonly #me: number;
  readonly #onResume: OnResume | undefined;
  #steps: Steps | undefined;
  #piece: Piece['kind'] = 'acquire';
  #made = 0;
  #pausesIfEmpty = false;

  constructor({ policy, options }: Subject, me: number, onResume?: OnResume) {
    this.#recorder = new StepRecorder(Object.keys(policy.words).length);
    this.#rules = policy.rules(layOut(policy.words), options);
    this.#me = me;
    this.#onResume = onResume;
  }

  /** Begins a piece and stops before its first step. */
  begin(piece: Piece): Place {
    this.#made = 0;
    this.#piece = piece.kind;
    // Holding lasts until the first step of release: it must have one, or a lock that does nothing would pass.
    this.#pausesIfEmpty = piece.kind === 'release';
    return this.#guard(() => {
      this.#steps = run(piece, this.#rules, this.#recorder, this.#me);
      return this.#resume(0);
    });
  }

  /** Goes on, with the result of the step before which it stopped. */
  next(result: number): Place {
    this.#pausesIfEmpty = false;
    if (++this.#made >= MAX_STEPS) {
      return { kind: 'endless', message: `has made ${MAX_STEPS.toLocaleString('en')} steps and not come to an end` };
    }
    return this.#guard(() => this.#resume(result));
  }

  #resume(result: number): Place {
    const next = this.#steps?.next(result);
    if (next !== undefined && next.done !== true) return { kind: 'step', step: this.#recorder.take(next.value) };
    this.#recorder.end();
    return this.#pausesIfEmpty ? { kind: 'step', step: { kind: 'pause' } } : { kind: 'end' };
  }

  #guard(work: () => Place): Place {
    this.#onResume?.enter(this.#me, this.#piece, this.#made);
    try {
      return work();
    } catch (error) {
      return { kind: 'fault', message: error instanceof StepFault ? error.message : `throws ${error}` };
    } finally {
      this.#onResume?.leave();
    }
  }
}

/** A place as text: the step and its operands. */
export function writePlace(place: Place): string {
  return place.kind === 'step' ? Object.values(place.step).join(' ') : place.kind;
}

/** What a step results in on words that are all 0, when nobody else is there. */
function resultAlone(step: RecordedStep): number {
  switch (step.kind) {
    case 'store':
      return step.value;
    case 'wait':
      return NOT_EQUAL;
    default:
      return 0;
  }
}
