/**
 * What a policy claims about itself (`Claim` in `policy.ts`), watched along every schedule. A watcher keeps one number of what has
 * happened so far; it is part of the state that the search distinguishes.
 *
 * A thread *waits* for the lock, in the sense of a claim, from when it first sleeps in an acquire until it holds. Earlier than that
 * the others need not know of it: between two of its steps any number of theirs can happen.
 *
 * A timed request is a matter of two threads, and to count the time-outs of three makes four times as many states: it is watched in models of
 * two.
 */

import { INTS_PER_WORD, layOut } from '../../memory.ts';
import type { Claim, Rules } from '../../policy.ts';
import type { Subject } from './unfolding.ts';
import { type Move, threadsIn, type World } from './world.ts';

/** Who held, who waited, before a move. */
export interface Before {
  readonly holding: number;
  readonly waiting: number;
  /** Whether the holder was asked to yield: by the word, or by every look of a policy that counts ticks. */
  readonly requested: boolean;
  /** Whether a thread is about to change its priority. What others know of it is then neither the old nor the new. */
  readonly changing: boolean;
}

/** Watches one claim. */
interface Watcher {
  /**
   * Looks at a move that has been made.
   *
   * @param state the number it returned for the move before, 0 at the start; from 0 to 65,535
   * @param takers the threads that hold since this move
   * @returns the new number, or what breaks the claim
   */
  watch(state: number, move: Move, takers: readonly number[], before: Before, after: World): number | string;
}

/** All of a policy's claims, each with its number. */
export class Watch {
  readonly watchers: readonly { readonly property: Claim['kind']; readonly watcher: Watcher }[];
  /** One number for each watcher. Set it to go back. */
  states: number[];
  readonly #breaker: number | undefined;

  constructor({ policy, options }: Subject, threads: number) {
    const rules = policy.rules(layOut(policy.words), options);
    const claims = (policy.claims ?? []).filter(({ kind }) => kind !== 'timed-request' || threads <= 2);
    const names = Object.keys(policy.words);
    this.watchers = claims.map((claim) => ({ property: claim.kind, watcher: watcherOf(claim, names) }));
    this.states = this.watchers.map(() => 0);
    this.#breaker = breakerOf(rules);
  }

  /** What the watchers must know of a state before a move is made in it. */
  before(world: World): Before {
    let holding = 0;
    let waiting = 0;
    let changing = false;
    for (const thread of world.actors.keys()) {
      if (world.holds(thread)) holding |= 1 << thread;
      if (waitsIn(world, thread)) waiting |= 1 << thread;
      if (world.piece(thread)?.kind === 'set priority') changing = true;
    }
    return { holding, waiting, changing, requested: this.#breaker === undefined || world.words[this.#breaker] !== 0 };
  }

  /**
   * Looks at a move that has been made, and remembers it.
   *
   * @returns the claim it breaks, or undefined
   */
  after(move: Move, before: Before, world: World): { property: Claim['kind']; message: string } | undefined {
    if (this.watchers.length === 0) return undefined;
    const takers: number[] = [];
    for (let thread = 0; thread < world.actors.length; thread++) {
      if ((before.holding & (1 << thread)) === 0 && world.holds(thread)) takers.push(thread);
    }
    for (const [i, { property, watcher }] of this.watchers.entries()) {
      const next = watcher.watch(this.states[i] as number, move, takers, before, world);
      if (typeof next === 'string') return { property, message: next };
      this.states[i] = next;
    }
    return undefined;
  }
}

/** The place of the word that asks the holder to yield. */
function breakerOf({ yieldPoint }: Rules): number | undefined {
  return yieldPoint.kind === 'requested' ? yieldPoint.word / INTS_PER_WORD : undefined;
}

function waitsIn(world: World, thread: number): boolean {
  return (
    world.piece(thread)?.kind === 'acquire' && (world.isAsleep(thread) || world.positions[thread]?.hasSlept === true)
  );
}

function watcherOf(claim: Claim, names: readonly string[]): Watcher {
  switch (claim.kind) {
    case 'forced-switch':
      return forcedSwitch;
    case 'timed-request':
      return timedRequest;
    case 'priority':
      return priority;
    case 'zero-at-rest':
      return zeroAtRest(claim.word, names.indexOf(claim.word));
    case 'bounded-bypass':
      return boundedBypass(claim.times);
  }
}

const name = (thread: number) => `thread ${thread + 1}`;

/** The number: a bit for each thread that released on request and may not hold again yet. */
const forcedSwitch: Watcher = {
  watch(barred, { thread }, takers, before, after) {
    let now = barred;
    if (before.requested && before.holding & (1 << thread) && !after.holds(thread)) now |= 1 << thread;
    for (const taker of takers) {
      if (now & (1 << taker)) return `${name(taker)} released on request and holds again, and nobody held meanwhile`;
      now = 0;
    }
    return now;
  },
};

/** The number: two bits for each thread, how often its sleep timed out since somebody took the lock or set its priority. */
const timedRequest: Watcher = {
  watch(timeouts, move, takers, before, after) {
    if (takers.length > 0 || before.changing) return 0;
    const { thread } = move;
    const shift = 2 * thread;
    const mine = (timeouts >> shift) & 0b11;
    if (after.piece(thread)?.kind !== 'acquire') return timeouts;
    if (move.kind === 'timeOut') return mine < 2 ? timeouts + (1 << shift) : timeouts;
    const asksNobody = !threadsIn(before.holding).some((holder) => after.priority(holder) <= after.priority(thread));
    if (mine < 2 || !after.isAsleep(thread) || before.requested || asksNobody) return timeouts;
    return `${name(thread)} has timed out twice while one thread held the lock, and sleeps again without having asked for it`;
  },
};

/** The number: bit 4 × high + low says that low has once taken the lock while high, of higher priority, waited. */
const priority: Watcher = {
  watch(passed, { thread }, takers, before, after) {
    let now = passed;
    const higher = (than: number) =>
      threadsIn(before.waiting).filter((each) => after.priority(each) > after.priority(than));
    for (const taker of takers) {
      for (const high of higher(taker)) {
        if (high === taker) continue;
        const bit = 1 << (4 * high + taker);
        if (now & bit) return `${name(taker)} takes the lock twice while ${name(high)}, of higher priority, waits`;
        now |= bit;
      }
      now &= ~(0b1111 << (4 * taker));
    }
    const runsOn = before.holding & (1 << thread) && after.holds(thread);
    const isQuiet = [...after.actors.keys()].every(
      (each) => each === thread || after.isAsleep(each) || after.isOutside(each),
    );
    if (runsOn && isQuiet && !before.requested) {
      for (const high of higher(thread)) {
        if (after.isAsleep(high))
          return `${name(thread)} is not asked to yield while ${name(high)}, of higher priority, sleeps`;
      }
    }
    return now;
  },
};

/** The number: always 0. */
function zeroAtRest(word: string, place: number): Watcher {
  return {
    watch(_none, _move, _takers, _before, after) {
      const value = after.words[place];
      if (value === undefined) return `there is no word ${word}`;
      if (value === 0 || after.actors.some((_, thread) => !after.isEnded(thread))) return 0;
      return `${word} is ${value} when every thread has ended`;
    },
  };
}

/** The number: four bits for each thread, how often others took the lock while it waited. */
function boundedBypass(times: number): Watcher {
  return {
    watch(bypassed, _move, takers, before) {
      let now = bypassed;
      for (const taker of takers) {
        for (const waiter of threadsIn(before.waiting)) {
          if (waiter === taker) continue;
          if (((now >> (4 * waiter)) & 0b1111) >= times) {
            return `${name(waiter)} waits, and others take the lock more than ${times} times`;
          }
          now += 1 << (4 * waiter);
        }
        now &= ~(0b1111 << (4 * taker));
      }
      return now;
    },
  };
}
