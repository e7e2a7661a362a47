/**
 * One watcher for each kind of claim. It is shown every move of a schedule and says whether that breaks the claim; what it must remember
 * of the moves before is one number, which makes two states of what would be one. So a claim that needs a memory is watched in
 * the smallest models in which it can be broken.
 */
import type { Claim } from '../../policy.ts';
import type { Before, Made } from './claims.ts';
import type { Piece } from './program.ts';
import { MAX_STEPS } from './unfolding.ts';
import { type Actor, type Move, sizeOf, threadsIn, type World } from './world.ts';

/** Watches one claim. */
export interface Watcher {
  /** Whether it has a number to keep. */
  readonly remembers: boolean;
  /**
   * Looks at a move that has been made.
   *
   * @param state the number it returned for the move before, 0 at the start
   * @returns the new number, or what breaks the claim
   */
  watch(state: number, move: Move, made: Made, before: Before, after: World): number | string;
}

/**
 * The watcher of a claim.
 *
 * @param names of the policy's words
 * @returns undefined if it has nothing to see in a model of these threads
 */
export function watcherOf(claim: Claim, names: readonly string[], actors: readonly Actor[]): Watcher | undefined {
  switch (claim.kind) {
    case 'forced-switch':
      return forcedSwitch;
    case 'timed-request':
      // A matter of two threads; to count the time-outs of three makes four times as many states.
      return actors.length <= 2 ? timedRequest : undefined;
    case 'patient-request':
      return actors.length <= 2 || actors.every(acquiresOnce) ? patientRequest : undefined;
    case 'priority':
      return priority;
    case 'zero-at-rest':
      return zeroAtRest(claim.word, names.indexOf(claim.word));
    case 'bounded-bypass':
      return boundedBypass(claim.times);
    case 'fast-path':
      return actors.length === 1 ? fastPath(claim.acquire, claim.release) : undefined;
    case 'single-wake':
      return singleWake;
  }
}

function acquiresOnce({ pieces }: Actor): boolean {
  return pieces.filter(({ kind }) => kind === 'acquire').length === 1;
}

const name = (thread: number) => `thread ${thread + 1}`;

/** The number: a bit for each thread that released on request and may not hold again yet. */
const forcedSwitch: Watcher = {
  remembers: true,
  watch(barred, { thread }, { takers }, before, after) {
    let now = barred;
    if (before.requested && before.holding & (1 << thread) && !after.holds(thread)) now |= 1 << thread;
    if (takers === 0) return now;
    for (const taker of threadsIn(takers)) {
      if (now & (1 << taker)) return `${name(taker)} released on request and holds again, and nobody held meanwhile`;
    }
    return 0;
  },
};

/** Two bits for each thread. It sleeps, and fell asleep since somebody last took the lock or set its priority. */
const SLEEPS = 0b01;
/** It has slept so to the end of its time. */
const SLEPT_THROUGH = 0b10;

/** The number: the flags above, of thread t from bit 2 × t. */
const timedRequest: Watcher = {
  remembers: true,
  watch(flags, { kind, thread }, { takers }, before, after) {
    if (takers !== 0 || before.changing) return 0;
    const shift = 2 * thread;
    const mine = (flags >> shift) & (SLEEPS | SLEPT_THROUGH);
    const others = flags - (mine << shift);
    if (after.piece(thread)?.kind !== 'acquire') return others;
    if (!after.isAsleep(thread)) {
      const slept = kind === 'timeOut' && mine & SLEEPS ? SLEPT_THROUGH : mine & SLEPT_THROUGH;
      return others + (slept << shift);
    }
    const now = others + ((mine | SLEEPS) << shift);
    if (before.requested) return now;
    if (!threadsIn(before.holding).some((holder) => after.priority(holder) <= after.priority(thread))) return now;
    if (mine & SLEPT_THROUGH) {
      return `${name(thread)} has timed out while one thread held the lock, and sleeps again without having asked for it`;
    }
    // While others are under way, a sleep may be one for a part of the lock that they have for a moment.
    const step = after.stepOf(thread);
    const isForEver = step?.kind === 'wait' && step.timeoutNs === Infinity && othersAreQuiet(thread, after);
    return isForEver ? `${name(thread)} sleeps without a time-out, and has not asked for the lock` : now;
  },
};

/** Of the sleep of the thread that is watched: nothing yet, its holder has released, another has taken the lock since. */
const RELEASED = 1;
const CHANGED = 2;
const PHASE = 0b11;
/** Its last sleep lasted as long as it was to, and the lock did not change hands in it. */
const ENTITLED = 0b100;
/** Somebody has taken the lock, or set its priority, since the thread last woke, or since its acquire began. */
const MOVED = 0b1000;

/** The first thread is watched: what another could do wrong it can, too, in a model in which it has that one's place. */
const PATIENT = 0;

/** The number: the flags above. */
const patientRequest: Watcher = {
  remembers: true,
  watch(flags, { kind, thread }, { takers, requested }, before, after) {
    if (after.piece(PATIENT)?.kind !== 'acquire' || after.isOutside(PATIENT)) return 0;
    const wasAsleep = (before.asleep & (1 << PATIENT)) !== 0;
    if (after.isAsleep(PATIENT)) {
      if (!wasAsleep) return 0;
      if ((flags & PHASE) === RELEASED && takers !== 0) return CHANGED;
      return (flags & PHASE) === 0 && before.holding !== 0 && before.holding & (1 << thread) && !after.holds(thread)
        ? RELEASED
        : flags;
    }
    if (wasAsleep) return kind === 'timeOut' && (flags & PHASE) !== CHANGED ? ENTITLED : 0;
    if (thread === PATIENT && requested && !before.requested && (flags & (MOVED | ENTITLED)) === 0) {
      const holder = threadsIn(before.holding)[0];
      if (holder !== undefined && after.priority(holder) === after.priority(PATIENT)) {
        return `${name(PATIENT)} asks ${name(holder)} for the lock, and has not waited for it a whole time-out`;
      }
    }
    return takers !== 0 || before.changing ? flags | MOVED : flags;
  },
};

/** The number: bit 4 × high + low says that low has once taken the lock while high, of higher priority, waited. */
const priority: Watcher = {
  remembers: true,
  watch(passed, { thread }, { takers }, before, after) {
    let now = passed;
    const higher = (than: number) =>
      threadsIn(before.waiting).filter((each) => after.priority(each) > after.priority(than));
    for (const taker of threadsIn(takers)) {
      for (const high of higher(taker)) {
        if (high === taker) continue;
        const bit = 1 << (4 * high + taker);
        if (now & bit) return `${name(taker)} takes the lock twice while ${name(high)}, of higher priority, waits`;
        now |= bit;
      }
      now &= ~(0b1111 << (4 * taker));
    }
    const runsOn = before.holding & (1 << thread) && after.holds(thread);
    if (runsOn && !before.requested && othersAreQuiet(thread, after)) {
      for (const high of higher(thread)) {
        if (after.isAsleep(high))
          return `${name(thread)} is not asked to yield while ${name(high)}, of higher priority, sleeps`;
      }
    }
    return now;
  },
};

function othersAreQuiet(thread: number, world: World): boolean {
  for (let each = 0; each < world.actors.length; each++) {
    if (each !== thread && !world.isAsleep(each) && !world.isOutside(each)) return false;
  }
  return true;
}

function zeroAtRest(word: string, place: number): Watcher {
  return {
    remembers: false,
    watch(_none, _move, _made, _before, after) {
      const value = after.words[place];
      if (value === undefined) return `there is no word ${word}`;
      if (value === 0) return 0;
      for (let thread = 0; thread < after.actors.length; thread++) if (!after.isEnded(thread)) return 0;
      return `${word} is ${value} when every thread has ended`;
    },
  };
}

/** The number: four bits for each thread, how often others took the lock while it waited. */
function boundedBypass(times: number): Watcher {
  return {
    remembers: true,
    watch(bypassed, _move, { takers }, before) {
      let now = bypassed;
      for (const taker of threadsIn(takers)) {
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

/** The number: which piece the thread is in, and how many steps of it are done. */
function fastPath(acquire: number, release: number): Watcher {
  const most: Partial<Record<Piece['kind'], number>> = { acquire, release };
  return {
    remembers: true,
    watch(state, _move, _made, _before, after) {
      const was = Math.floor(state / MAX_STEPS);
      const piece = after.pieceOf[0] as number;
      const steps = (state % MAX_STEPS) + 1;
      const kind = after.actors[0]?.pieces[was]?.kind ?? 'look';
      // The first acquire is no return.
      if (was > 0 && steps > (most[kind] ?? MAX_STEPS)) {
        return `${name(0)}, alone, needs more than ${most[kind]} steps for ${kind === 'acquire' ? 'an' : 'a'} ${kind}`;
      }
      const next = after.stepOf(0)?.kind;
      if (piece > 0 && (next === 'wait' || next === 'notify')) return `${name(0)}, alone, comes to a ${next}`;
      return piece * MAX_STEPS + (piece === was ? steps : 0);
    },
  };
}

const singleWake: Watcher = {
  remembers: false,
  watch(_none, { kind, thread }, _made, before, after) {
    if (kind !== 'step' || (before.releasing & (1 << thread)) === 0) return 0;
    if (sizeOf(before.asleep & ~after.asleep) < 2) return 0;
    return `a release of ${name(thread)} wakes more than one thread at once`;
  },
};
