/**
 * Whether a policy does in one run what its unfolding says: random schedules, each thread with one set of rules from beginning to
 * end, as on real threads, beside the table of positions.
 *
 * The unfolding assumes two things that it cannot see: that a thread keeps nothing for itself from one piece to the next but its
 * priority, and no result in the middle of an expression (`local-state.ts`). A policy that keeps to neither does something
 * else here sooner or later. The schedules follow from a fixed seed: the answer is the same every time.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Piece, skippedAfter } from './program.ts';
import { type Place, RunningThread, type Subject, writePlace } from './unfolding.ts';
import { type Actor, type Move, World } from './world.ts';

const SCHEDULES = 200;
/** A schedule that is not over by then is left. */
const MAX_MOVES = 2_000;

/**
 * Compares random schedules.
 *
 * @returns what differs, for the author of the policy to read; undefined if nothing was found
 */
export function auditAtRandom(subject: Subject, actors: readonly Actor[], spurious: boolean): string | undefined {
  const random = xoroshiro128plus(1);
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    const difference = compare(subject, actors, (world, made) => {
      const moves = made < MAX_MOVES ? world.moves(spurious) : [];
      return moves.length === 0 ? undefined : moves[uniformInt(random, 0, moves.length - 1)];
    });
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Compares one schedule. */
export function auditSchedule(subject: Subject, actors: readonly Actor[], moves: readonly Move[]): string | undefined {
  return compare(subject, actors, (_, made) => moves[made]);
}

function compare(
  subject: Subject,
  actors: readonly Actor[],
  choose: (world: World, made: number) => Move | undefined,
): string | undefined {
  const world = new World(actors, Object.keys(subject.policy.words).length);
  const lives = actors.map((actor, thread) => new Life(new RunningThread(subject, thread + 1), actor.pieces));
  for (let made = 0, move = choose(world, 0); move !== undefined; move = choose(world, ++made)) {
    world.apply(move, (thread, result) => lives[thread]?.next(result));
    for (const [thread, { place }] of world.positions.entries()) {
      const inOneRun = writePlace((lives[thread] as Life).place);
      if (inOneRun === writePlace(place)) continue;
      return (
        `thread ${thread + 1} goes on with «${inOneRun}» in one run, and with «${writePlace(place)}» in another after the same ` +
        'results: it keeps something for itself from an earlier acquire or release, or a result that is in no variable'
      );
    }
  }
  return undefined;
}

/** A thread from its first piece to its last. */
class Life {
  place: Place = { kind: 'end' };
  readonly #running: RunningThread;
  readonly #pieces: readonly Piece[];
  #at = -1;

  constructor(running: RunningThread, pieces: readonly Piece[]) {
    this.#running = running;
    this.#pieces = pieces;
    this.#enter(0);
  }

  next(result: number): void {
    this.place = this.#running.next(result);
    if (this.place.kind === 'end') this.#enter(this.#at + 1 + skippedAfter(this.#pieces[this.#at] as Piece, result));
  }

  #enter(first: number): void {
    for (let i = first; i < this.#pieces.length; i++) {
      this.#at = i;
      this.place = this.#running.begin(this.#pieces[i] as Piece);
      if (this.place.kind !== 'end') return;
    }
  }
}
