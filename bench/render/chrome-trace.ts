/**
 * Timelines as a file that opens in Perfetto (https://ui.perfetto.dev) and chrome://tracing: the JSON of the Trace Event Format.
 *
 * A round of a cell is a process, a thread is a thread, the client's round trips are one too; every state is a slice, every mark an
 * instant, and an arrow leads from the slice in which another thread took the lock to the wait that cost. Slices are written as begin
 * and end, never as a length: the end of one and the beginning of the next are the same number, and stay so when a viewer rounds them.
 * Thread numbers are small and no two are the same in a file, for a viewer that tells threads by their number alone.
 */
import { EVENT, EVENTS, isStateNumber, type ThreadTimeline, type Timeline } from '../../lock/timeline.ts';
import type { Cell, MeasuredRound, Result } from '../result/result.ts';

/** An event of the format, as far as we use it. */
interface TraceEvent {
  readonly ph: 'M' | 'B' | 'E' | 'i' | 's' | 'f';
  readonly name?: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid?: number;
  /** Microseconds. */
  readonly ts?: number;
  readonly id?: number;
  readonly bp?: 'e';
  readonly s?: 't';
  readonly args?: Readonly<Record<string, string | number>>;
}

/** A slice of a thread. */
interface Slice {
  readonly name: string;
  readonly state: number;
  readonly fromNs: number;
  readonly untilNs: number;
}

/** An end of an arrow, inside a slice. */
interface ArrowEnd {
  readonly atNs: number;
  readonly id: number;
  readonly ph: 's' | 'f';
}

const ARROW = { name: 'steal', cat: 'steal' } as const;

/** How messages name the round of a cell. */
export function roundName({ policy, server, scenario, at }: Cell, round: number, rounds: number): string {
  const where = at === undefined ? '' : `, ${at.cpus} CPUs, ${at.spinners} CPU threads`;
  return `${policy}/${server} ${scenario}${where}${rounds > 1 ? `, round ${round}` : ''}`;
}

/**
 * The file, in a piece for each round: as a whole it may be longer than a string can be.
 *
 * @param result one whose rounds have timelines; those that have none are left out
 */
export function* renderChromeTrace(result: Result): Generator<string> {
  const about = { convoy: result.environment.convoy, command: `convoy ${result.argv.join(' ')}` };
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(about)},"traceEvents":[`;
  let separator = '\n';
  let pid = 0;
  let nextTid = 1;
  for (const cell of result.cells) {
    for (const round of cell.rounds) {
      if (round.state !== 'measured' || round.timeline === undefined) continue;
      pid++;
      const events = eventsOf(round, round.timeline, pid, nextTid, roundName(cell, round.round, result.rounds));
      nextTid += 1 + round.timeline.threads.length;
      yield separator + Array.from(events, (event) => JSON.stringify(event)).join(',\n');
      separator = ',\n';
    }
  }
  yield '\n]}\n';
}

function* eventsOf(
  round: MeasuredRound,
  timeline: Timeline,
  pid: number,
  firstTid: number,
  name: string,
): Generator<TraceEvent> {
  yield { ph: 'M', pid, name: 'process_name', args: { name } };
  yield { ph: 'M', pid, name: 'process_sort_index', args: { sort_index: pid } };
  yield* nameThread(pid, firstTid, 'client: round trips');
  for (const slice of roundTripsOf(round, timeline)) yield* sliceEvents(slice, pid, firstTid, [], slice.args);

  const slices = new Map(timeline.threads.map((thread) => [thread.thread, slicesOf(thread, timeline)]));
  const arrows = arrowsOf(timeline, slices, firstTid);
  for (const [i, thread] of timeline.threads.entries()) {
    const tid = firstTid + 1 + i;
    const lost = thread.lostEvents === 0 ? '' : `, ${thread.lostEvents} events lost`;
    yield* nameThread(pid, tid, `${thread.name}${lost}`);
    const ends = arrows.get(thread.thread) ?? [];
    let nextEnd = 0;
    for (const slice of slices.get(thread.thread) ?? []) {
      const inside: ArrowEnd[] = [];
      for (; (ends[nextEnd]?.atNs ?? Infinity) < slice.untilNs; nextEnd++) inside.push(ends[nextEnd] as ArrowEnd);
      yield* sliceEvents(slice, pid, tid, inside, {});
    }
    for (const [n, word] of thread.event.entries()) {
      if (isStateNumber(word)) continue;
      const mark = EVENTS[word] as string;
      const from = timeline.threads.find((other) => other.thread === thread.by[n])?.name;
      const args = from === undefined ? {} : { args: { by: from } };
      yield { ph: 'i', s: 't', pid, tid, ts: micros(thread.atNs[n] as number), name: mark, ...args };
    }
  }
}

/** Metadata have no time: Perfetto refuses some of those it is given. */
function* nameThread(pid: number, tid: number, name: string): Generator<TraceEvent> {
  yield { ph: 'M', pid, tid, name: 'thread_name', args: { name } };
  yield { ph: 'M', pid, tid, name: 'thread_sort_index', args: { sort_index: tid } };
}

function* sliceEvents(
  slice: Slice,
  pid: number,
  tid: number,
  ends: readonly ArrowEnd[],
  args: Readonly<Record<string, number>>,
): Generator<TraceEvent> {
  const { name, fromNs, untilNs } = slice;
  yield { ph: 'B', pid, tid, ts: micros(fromNs), name, ...(Object.keys(args).length === 0 ? {} : { args }) };
  for (const { ph, id, atNs } of ends) {
    yield { ph, ...ARROW, id, pid, tid, ts: micros(atNs), ...(ph === 'f' ? { bp: 'e' as const } : {}) };
  }
  yield { ph: 'E', pid, tid, ts: micros(untilNs) };
}

/** Three digits behind the point: whole nanoseconds, written as they are. */
function micros(ns: number): number {
  return ns / 1e3;
}

/** The states of a thread one after the other; those that took no time, and those in which it takes no part, are left out. */
function slicesOf({ atNs, event, by }: ThreadTimeline, { untilNs, calls }: Timeline): Slice[] {
  const states = event.flatMap((word, i) => (isStateNumber(word) ? [i] : []));
  return states.flatMap((i, n) => {
    const state = event[i] as number;
    const fromNs = atNs[i] as number;
    const next = states[n + 1];
    const endNs = next === undefined ? untilNs : (atNs[next] as number);
    if (endNs === fromNs || state === EVENT.away) return [];
    const name = state === EVENT.call ? (calls[by[i] as number] as string) : (NAMES[state] as string);
    return [{ name, state, fromNs, untilNs: endNs }];
  });
}

const NAMES: Readonly<Record<number, string>> = {
  [EVENT.wants]: 'wants the lock',
  [EVENT.sleeps]: 'waits for the lock, asleep',
  [EVENT.runs]: 'runs',
};

/** Those that were under way in the time of the timeline, cut to it. */
function roundTripsOf(
  { sentNs, rttNs, lockWaitNs, workNs }: MeasuredRound,
  { fromNs, untilNs }: Timeline,
): (Slice & { args: Record<string, number> })[] {
  return sentNs.flatMap((sent, i) => {
    const rtt = rttNs[i] as number;
    const slice = { fromNs: Math.max(fromNs, sent), untilNs: Math.min(untilNs, sent + rtt) };
    if (slice.fromNs >= slice.untilNs) return [];
    const parts = { rttNs: rtt, lockWaitNs: lockWaitNs?.[i], workNs: workNs?.[i] };
    const known = Object.entries(parts).filter((part): part is [string, number] => part[1] !== undefined);
    return [{ name: `message ${i + 1}`, state: -1, ...slice, args: Object.fromEntries(known) }];
  });
}

/**
 * For each steal that cost a wait, an arrow from where the other thread took the lock (or, if it was not the first, from where the wait
 * began) to the wait.
 *
 * @returns thread → ends of arrows in it, in their order
 */
function arrowsOf(
  { threads }: Timeline,
  slices: ReadonlyMap<number, readonly Slice[]>,
  firstTid: number,
): Map<number, ArrowEnd[]> {
  const arrows = new Map<number, ArrowEnd[]>(threads.map(({ thread }) => [thread, []]));
  // Numbers of arrows are one for all processes of a file, as those of threads.
  let id = firstTid * 1_000_000;
  for (const { thread, atNs, event, by } of threads) {
    for (const [i, word] of event.entries()) {
      if (word !== EVENT.stolen) continue;
      const atStealNs = atNs[i] as number;
      const taken = sliceBefore(slices.get(by[i] as number) ?? [], atStealNs, EVENT.runs);
      const waited = waitBefore(slices.get(thread) ?? [], atStealNs);
      if (taken === undefined || waited === null) continue;
      // Perfetto takes what happens at the same time in the order of the file, and drops an arrow that arrives before it has left.
      const arrivesNs = Math.max(waited, taken.fromNs + 1);
      if (arrivesNs >= atStealNs) continue;
      id++;
      arrows.get(by[i] as number)?.push({ atNs: taken.fromNs, id, ph: 's' });
      arrows.get(thread)?.push({ atNs: arrivesNs, id, ph: 'f' });
    }
  }
  for (const ends of arrows.values()) ends.sort((a, b) => a.atNs - b.atNs);
  return arrows;
}

/** The last slice of a state that began before a time. */
function sliceBefore(slices: readonly Slice[], beforeNs: number, state: number): Slice | undefined {
  for (let at = lastBefore(slices, beforeNs); at >= 0; at--) if (slices[at]?.state === state) return slices[at];
  return undefined;
}

/** When the wait began that ended at a time; null if none did. */
function waitBefore(slices: readonly Slice[], endNs: number): number | null {
  let at = lastBefore(slices, endNs);
  let since: number | null = null;
  for (; at >= 0; at--) {
    const slice = slices[at] as Slice;
    if (slice.state !== EVENT.wants && slice.state !== EVENT.sleeps) break;
    since = slice.fromNs;
  }
  return since;
}

/** Index of the last slice that began before a time, or -1. */
function lastBefore(slices: readonly Slice[], beforeNs: number): number {
  let [low, high] = [0, slices.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((slices[middle] as Slice).fromNs < beforeNs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
