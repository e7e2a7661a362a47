/** From the times of a server's calls to the numbers of a profile. */
import { linearRegression, max, median, min, sum } from 'simple-statistics';
import { leavesOf } from '../../lock/interpreter.ts';
import { FIB_OF_ROUND } from '../../workers/spinner.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';

/** What is made of the calls of a run without CPU threads. */
export interface CallCosts {
  /** Under the lock between two calls. */
  readonly workPerCallNs: number;
  /** Out of the lock in a call that does not block. */
  readonly callNs: number;
}

const FIELDS = 3;
/** What `sys.setcheckinterval` is, of Python 2.7 as of py27: ticks between two yields. */
export const CHECK = 100;

/**
 * Medians over messages, so that a message the operating system has disturbed counts as one and not as much as it was disturbed.
 *
 * @param calls released, returned, acquired of each call in turn
 * @param callsPerMessage of which the longest is the one that blocks
 * @throws Error of fewer calls than two messages make
 */
export function callCosts(calls: ArrayLike<number>, callsPerMessage: number): CallCosts {
  const work: number[] = [];
  const outside: number[] = [];
  const count = Math.floor(calls.length / FIELDS);
  // So many calls in a row are one whole cycle, wherever it begins.
  for (let first = 0; first + callsPerMessage < count; first += callsPerMessage) {
    let workNs = 0;
    const inCalls: number[] = [];
    for (let n = first; n < first + callsPerMessage; n++) {
      const at = (index: number) => calls[n * FIELDS + index] as number;
      inCalls.push(at(1) - at(0));
      workNs += at(FIELDS) - at(2);
    }
    work.push(workNs / callsPerMessage);
    outside.push(...inCalls.sort((a, b) => a - b).slice(0, -1));
  }
  if (work.length === 0) throw new Error('too few calls were noted to calibrate by');
  return { workPerCallNs: percentile(sortSamples(work), 50), callNs: percentile(sortSamples(outside), 50) };
}

/** What CPU threads did for a while, alone. */
export interface Alone {
  /** In several moments. */
  readonly roundsPerSecond: readonly number[];
  /** Over all. */
  readonly rounds: number;
  readonly yields: number;
}

export interface TicksOfWork {
  readonly tickNs: number;
  readonly ticksPerLeaf: number;
}

/**
 * How long a tick of an interpreter's CPU thread takes that yields by itself every so many, and how many go into a leaf of ours. Of either the
 * fastest moment counts: everything that can disturb one makes it slower.
 *
 * @returns ticks to a tenth; null if theirs made no yields to speak of: it yields when asked
 */
export function ticksOf(theirs: readonly Alone[], ours: readonly Alone[]): TicksOfWork | null {
  const rounds = sum(theirs.map((each) => each.rounds));
  const yields = sum(theirs.map((each) => each.yields));
  // An interpreter that yields by itself does so several times in a round of some tens of microseconds.
  if (yields < rounds) return null;
  const fastestRoundNs = (turns: readonly Alone[]) => 1e9 / max(turns.flatMap((each) => [...each.roundsPerSecond]));
  const tickNs = fastestRoundNs(theirs) / ((yields * CHECK) / rounds);
  const leafNs = fastestRoundNs(ours) / leavesOf(FIB_OF_ROUND);
  return { tickNs, ticksPerLeaf: Number((leafNs / tickNs).toFixed(1)) };
}

/**
 * How long a thread keeps the lock that it had to wait for: from having acquired it to the next release.
 *
 * @param calls released, returned, acquired of each call in turn
 * @returns the median over calls that had to wait; null if there are none
 */
export function heldAfterWaitNs(calls: ArrayLike<number>): number | null {
  const held: number[] = [];
  for (let at = 0; at + FIELDS < calls.length; at += FIELDS) {
    const [returned, acquired, released] = [calls[at + 1], calls[at + 2], calls[at + FIELDS]] as [
      number,
      number,
      number,
    ];
    if (acquired > returned) held.push(released - acquired);
  }
  return held.length === 0 ? null : percentile(sortSamples(held), 50);
}

/** An interpreter cost that was tried, and how long the lock was held after a wait then. */
export interface Tried {
  readonly costNs: number;
  readonly heldNs: number;
}

/**
 * The cost at which an emulation holds its lock as long as its original, of a line through all that were tried: one that was disturbed
 * counts less.
 *
 * @param tried at least two different costs
 * @param heldNs the original's
 * @returns to a tenth of a nanosecond, within the range that was tried
 */
export function fittedCostNs(tried: readonly Tried[], heldNs: number): number {
  const costs = tried.map(({ costNs }) => costNs);
  const line = linearRegression(tried.map((each) => [each.costNs, each.heldNs]));
  // Where more of it does not come out larger, it was not measured but disturbed.
  const cost = line.m > 0 ? (heldNs - line.b) / line.m : -Infinity;
  return Number(Math.min(Math.max(...costs), Math.max(Math.min(...costs), cost)).toFixed(1));
}

/** Of several rounds, of what can be off to either side. Null where they have no such number. */
export function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

/** Of several rounds, of what takes CPU time: everything that can disturb a round makes it longer. Null as above. */
export function lowestOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : min(known);
}
