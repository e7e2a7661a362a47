/**
 * The lock's timeline as the page draws it: columns of a fixed width in time, each with the share of it that a thread spent holding the
 * lock, waiting for it, and in calls. A second has as many columns however often the lock changed hands, so that no policy can flood the
 * page, and nothing shorter than a column is lost: it is a part of its height.
 */
import {
  EVENT,
  EVENTS,
  isStateNumber,
  STATES,
  type State,
  type ThreadTimeline,
  type Timeline,
} from '../../lock/timeline.ts';

/** Half of the shortest stretch worth seeing: py32 lets a thread run for 5 ms. */
export const COLUMN_NS = 2_000_000;

/** The columns of one thread, in whole percent of a column's time; what is missing to 100 it took no part. */
export interface ThreadColumns {
  readonly thread: number;
  readonly name: string;
  readonly role: ThreadTimeline['role'];
  readonly runs: readonly number[];
  readonly waits: readonly number[];
  readonly calls: readonly number[];
  /** How often it asked the holder to drop the lock. */
  readonly requests: readonly number[];
}

/** Consecutive columns of all threads. */
export interface LockColumns {
  readonly columnNs: number;
  /** Number of the first one, counted from the start of the run. What lies between it and the columns before is not known. */
  readonly first: number;
  /** Where they end. */
  readonly endNs: number;
  readonly threads: readonly ThreadColumns[];
  /** In what share of their time a CPU thread had the lock, 0 to 1; null if there are none. Several at once, without a lock, count as one. */
  readonly spinnersHold: number | null;
}

const SHOWN: Readonly<Record<State, 'runs' | 'waits' | 'calls' | null>> = {
  runs: 'runs',
  wants: 'waits',
  sleeps: 'waits',
  call: 'calls',
  away: null,
};

/**
 * Makes columns of a timeline.
 *
 * @returns those that lie in it as a whole; null if there are none
 */
export function columnsOf({ fromNs, untilNs, threads }: Timeline): LockColumns | null {
  const first = Math.ceil(fromNs / COLUMN_NS);
  const end = Math.floor(untilNs / COLUMN_NS);
  if (end <= first) return null;
  return {
    columnNs: COLUMN_NS,
    first,
    endNs: end * COLUMN_NS,
    threads: threads.map((thread) => columnsOfThread(thread, first, end)),
    spinnersHold: shareHeld(
      threads.filter(({ role }) => role === 'spinner'),
      first * COLUMN_NS,
      end * COLUMN_NS,
    ),
  };
}

/** The share of a time in which at least one of the threads ran; null of no threads. */
function shareHeld(threads: readonly ThreadTimeline[], fromNs: number, untilNs: number): number | null {
  if (threads.length === 0) return null;
  const runs = threads.flatMap((thread) => runsOf(thread, untilNs)).sort(([a], [b]) => a - b);
  let heldNs = 0;
  let seenNs = fromNs;
  for (const [beganNs, endedNs] of runs) {
    heldNs += Math.max(0, endedNs - Math.max(seenNs, beganNs));
    seenNs = Math.max(seenNs, endedNs);
  }
  return heldNs / (untilNs - fromNs);
}

/** When a thread ran before a time. */
function runsOf({ atNs, event }: ThreadTimeline, untilNs: number): [fromNs: number, untilNs: number][] {
  const states = [...event.keys()].filter((i) => isStateNumber(event[i] as number));
  return states.flatMap((i, n): [number, number][] => {
    const endNs = atNs[states[n + 1] ?? -1] ?? untilNs;
    return event[i] === EVENT.runs ? [[atNs[i] as number, Math.min(endNs, untilNs)]] : [];
  });
}

function columnsOfThread(
  { thread, name, role, atNs, event }: ThreadTimeline,
  first: number,
  end: number,
): ThreadColumns {
  const zeros = () => new Array<number>(end - first).fill(0);
  const spentNs = { runs: zeros(), waits: zeros(), calls: zeros() };
  const requests = zeros();
  let state: State = 'away';
  let sinceNs = first * COLUMN_NS;
  const lasts = (untilNs: number) => {
    const shown = SHOWN[state];
    if (shown !== null) spread(spentNs[shown], first, sinceNs, untilNs);
    sinceNs = Math.max(sinceNs, untilNs);
  };
  for (const [i, at] of atNs.entries()) {
    if (at >= end * COLUMN_NS) break;
    const word = EVENTS[event[i] as number];
    const next = STATES.find((each) => each === word);
    const column = Math.floor(at / COLUMN_NS) - first;
    if (next !== undefined) {
      lasts(at);
      state = next;
    } else if (word === 'drop-requested' && column >= 0) {
      requests[column] = (requests[column] as number) + 1;
    }
  }
  lasts(end * COLUMN_NS);
  const { runs, waits, calls } = spentNs;
  return { thread, name, role, runs: percent(runs), waits: percent(waits), calls: percent(calls), requests };
}

/** Adds a stretch of time to the columns it lies in. */
function spread(columns: number[], first: number, fromNs: number, untilNs: number): void {
  for (let ns = fromNs; ns < untilNs; ) {
    const column = Math.floor(ns / COLUMN_NS);
    const endNs = Math.min(untilNs, (column + 1) * COLUMN_NS);
    columns[column - first] = (columns[column - first] as number) + endNs - ns;
    ns = endNs;
  }
}

const percent = (spentNs: readonly number[]) => spentNs.map((ns) => Math.round((ns / COLUMN_NS) * 100));
