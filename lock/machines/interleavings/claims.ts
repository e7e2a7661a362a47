/**
 * What a policy claims about itself (`Claim` in `policy.ts`), watched along every schedule. What is looked at for each claim is in
 * `watchers.ts`.
 */
import { INTS_PER_WORD, layOut } from '../../memory.ts';
import type { Claim } from '../../policy.ts';
import type { Subject } from './unfolding.ts';
import { type Watcher, watcherOf } from './watchers.ts';
import type { Actor, Move, World } from './world.ts';

/** What the watchers must know of the state in which a move is made. Sets of threads have a bit for each. */
export interface Before {
  readonly holding: number;
  /**
   * Who waits, in the sense of a claim: from when it first sleeps in an acquire until it holds. Earlier than that the others need not
   * know of it: between two of its steps any number of theirs can happen.
   */
  readonly waiting: number;
  /** Who is in a release; its first step is not done yet if it still holds. */
  readonly releasing: number;
  readonly asleep: number;
  /** Whether the holder was asked to yield: by the word, or by every look of a policy that counts ticks. */
  readonly requested: boolean;
  /** Whether a thread is about to change its priority. What others know of it is then neither the old nor the new. */
  readonly changing: boolean;
}

/** What a move has done, beside its marks on the world. */
export interface Made {
  /** The threads that hold since this move. */
  readonly takers: number;
  /** As in {@link Before}, now. */
  readonly requested: boolean;
}

interface Watched {
  readonly property: Claim['kind'];
  readonly watcher: Watcher;
  /** Where its number is among {@link Watch.states}; -1 if it keeps none. */
  readonly at: number;
}

/** All of a policy's claims that can be watched in a model. */
export class Watch {
  readonly #watchers: readonly Watched[];
  /** The number that each watcher keeps of what has happened so far, part of the state that the search distinguishes. */
  states: number[];
  readonly #breaker: number | undefined;

  constructor({ policy, options }: Subject, actors: readonly Actor[]) {
    const { yieldPoint } = policy.rules(layOut(policy.words), options);
    this.#breaker = yieldPoint.kind === 'requested' ? yieldPoint.word / INTS_PER_WORD : undefined;
    const names = Object.keys(policy.words);
    let remembering = 0;
    this.#watchers = (policy.claims ?? []).flatMap((claim) => {
      const watcher = watcherOf(claim, names, actors);
      if (watcher === undefined) return [];
      return [{ property: claim.kind, watcher, at: watcher.remembers ? remembering++ : -1 }];
    });
    this.states = new Array(remembering).fill(0);
  }

  /** What is to be known of a state before a move is made in it. */
  before(world: World): Before {
    let waiting = 0;
    let releasing = 0;
    let changing = false;
    for (let thread = 0; thread < world.actors.length; thread++) {
      const kind = world.piece(thread)?.kind;
      if (kind === 'acquire' && (world.isAsleep(thread) || world.positions[thread]?.hasSlept === true)) {
        waiting |= 1 << thread;
      }
      if (kind === 'release') releasing |= 1 << thread;
      if (kind === 'set priority') changing = true;
    }
    const requested = this.#requested(world);
    return { holding: holdingIn(world), waiting, releasing, asleep: world.asleep, requested, changing };
  }

  /**
   * Looks at a move that has been made, and remembers it.
   *
   * @returns the claim it breaks, or undefined
   */
  after(move: Move, before: Before, world: World): { property: Claim['kind']; message: string } | undefined {
    if (this.#watchers.length === 0) return undefined;
    const made = { takers: holdingIn(world) & ~before.holding, requested: this.#requested(world) };
    for (let i = 0; i < this.#watchers.length; i++) {
      const { property, watcher, at } = this.#watchers[i] as Watched;
      const next = watcher.watch(at < 0 ? 0 : (this.states[at] as number), move, made, before, world);
      if (typeof next === 'string') return { property, message: next };
      if (at >= 0) this.states[at] = next;
    }
    return undefined;
  }

  #requested(world: World): boolean {
    return this.#breaker === undefined || world.words[this.#breaker] !== 0;
  }
}

function holdingIn(world: World): number {
  let holding = 0;
  for (let thread = 0; thread < world.actors.length; thread++) if (world.holds(thread)) holding |= 1 << thread;
  return holding;
}
