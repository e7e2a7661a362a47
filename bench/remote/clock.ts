/**
 * The clock of another machine against ours. A question and its answer enclose the moment at which the other clock was read, so that
 * the offset is known to half of the round trip, whatever the ways there and back took; of many questions the quickest counts.
 * Clocks drift: what happened between two readings is laid over ours as if the drift in between were even.
 */

/** The other clock, at one moment. */
export interface ClockReading {
  /** On our clock. */
  readonly atNs: number;
  /** What the other clock shows more than ours. */
  readonly offsetNs: number;
  /** At most so far off, to either side. */
  readonly errorNs: number;
}

/** One after the other, without pauses: a CPU that has fallen asleep in between answers later. */
const QUESTIONS = 100;
/** However far away the other machine is. */
const MAX_READING_NS = 1e9;

/**
 * Reads the other clock.
 *
 * @param ask what it shows
 * @param now what ours shows
 */
export async function readClock(ask: () => Promise<number>, now: () => number): Promise<ClockReading> {
  const startNs = now();
  let best: ClockReading | undefined;
  for (let question = 0; question < QUESTIONS && now() - startNs < MAX_READING_NS; question++) {
    const askedNs = now();
    const otherNs = await ask();
    const answeredNs = now();
    const atNs = (askedNs + answeredNs) / 2;
    const errorNs = (answeredNs - askedNs) / 2;
    if (best === undefined || errorNs < best.errorNs) best = { atNs, offsetNs: otherNs - atNs, errorNs };
  }
  if (best === undefined) throw new Error('no question was asked');
  return best;
}

/** What lays times of the other clock over ours. */
export interface ClockMap {
  /** A time on the other clock, on ours. */
  ours(otherNs: number): number;
  /** How far that is off at most, if the drift between the two readings was even. */
  readonly errorNs: number;
}

/**
 * Makes of two readings what lays the time in between over ours.
 *
 * @param before of about when it begins
 * @param after of about when it ends
 */
export function mapClock(before: ClockReading, after: ClockReading): ClockMap {
  const firstNs = before.atNs + before.offsetNs;
  const lastNs = after.atNs + after.offsetNs;
  const drift = lastNs > firstNs ? (after.offsetNs - before.offsetNs) / (lastNs - firstNs) : 0;
  return {
    ours: (otherNs) => otherNs - before.offsetNs - drift * (otherNs - firstNs),
    errorNs: Math.max(before.errorNs, after.errorNs),
  };
}

/** Ours: CLOCK_MONOTONIC, as all processes of this machine read it. */
export function machineClockNs(): number {
  return Number(process.hrtime.bigint());
}
