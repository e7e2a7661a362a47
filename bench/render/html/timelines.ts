/** A timeline as a page can hold it: the part around the messages that are looked at, packed. */
import { EVENTS, STATES, type Timeline } from '../../../lock/timeline.ts';
import { writeFigure, writeWithUnit } from '../format.ts';
import type { Table } from '../table.ts';
import type { CellView, PackedThread, PackedTimeline } from './charts.ts';
import { unpackTimeline } from './options/timeline.ts';
import { clipSpans, type Span, splitEvents } from './spans.ts';

function spansOf(thread: Timeline['threads'][number], untilNs: number): Span[] {
  return splitEvents(thread, untilNs, EVENTS, STATES.length).spans;
}

/** The part of a timeline that has at most so many events, as wide as can be, around `centreNs`. */
export function windowAround(
  timeline: Timeline,
  centreNs: number,
  maxEvents: number,
): { readonly fromNs: number; readonly untilNs: number } {
  const { fromNs, untilNs, threads } = timeline;
  const ofWidth = (halfNs: number) => ({
    fromNs: Math.round(Math.max(fromNs, centreNs - halfNs)),
    untilNs: Math.round(Math.min(untilNs, centreNs + halfNs)),
  });
  const count = (window: { fromNs: number; untilNs: number }) =>
    threads.reduce((sum, { atNs }) => sum + atNs.filter((at) => at >= window.fromNs && at <= window.untilNs).length, 0);
  let [fits, tooWide] = [0, untilNs - fromNs];
  if (count(ofWidth(tooWide)) <= maxEvents) return { fromNs, untilNs };
  while (tooWide - fits > 1_000) {
    const half = (fits + tooWide) / 2;
    if (count(ofWidth(half)) <= maxEvents) fits = half;
    else tooWide = half;
  }
  return ofWidth(fits);
}

/** @param messages when each was sent, and its round trip */
export function packTimeline(
  timeline: Timeline,
  { fromNs, untilNs }: { readonly fromNs: number; readonly untilNs: number },
  messages: readonly (readonly [sentNs: number, rttNs: number])[],
): PackedTimeline {
  return {
    fromNs,
    untilNs,
    threads: timeline.threads.map((thread) => packThread(thread, fromNs, untilNs)),
    messages: messages.filter(([sentNs, rttNs]) => sentNs + rttNs > fromNs && sentNs < untilNs),
  };
}

/** Begins with the state in which the thread was then. */
function packThread(
  { name, role, atNs, event }: Timeline['threads'][number],
  fromNs: number,
  untilNs: number,
): PackedThread {
  const afterNs: number[] = [];
  let events = '';
  let lastNs = fromNs;
  const push = (at: number, word: number) => {
    afterNs.push(at - lastNs);
    events += word;
    lastNs = at;
  };
  let before: number | undefined;
  for (const [i, at] of atNs.entries()) {
    const word = event[i] ?? 0;
    if (at < fromNs) {
      if (word < STATES.length) before = word;
      continue;
    }
    if (at > untilNs) break;
    if (before !== undefined && at > fromNs) push(fromNs, before);
    before = undefined;
    push(at, word);
  }
  if (before !== undefined) push(fromNs, before);
  return { name, role, afterNs, events };
}

/** The thread that served what happened in a stretch of time: the one that had most to do with the lock. */
export function servingSpans({ threads, untilNs: endNs }: Timeline, fromNs: number, untilNs: number): Span[] {
  let most: { spans: Span[]; ns: number } = { spans: [], ns: -1 };
  for (const thread of threads.filter(({ role }) => role === 'server')) {
    const spans = clipSpans(spansOf(thread, endNs), fromNs, untilNs);
    const ns = spans
      .filter(({ state }) => state !== 'call' && state !== 'away')
      .reduce((sum, span) => sum + span.untilNs - span.fromNs, 0);
    if (ns > most.ns) most = { spans, ns };
  }
  return most.spans;
}

/** What each thread did with the time that a page shows of a timeline, a table for each cell. */
export function timelineTables(views: readonly CellView[]): Table[] {
  return views.flatMap(({ name, timeline }) => {
    if (timeline === null) return [];
    const wholeNs = Math.max(1, timeline.untilNs - timeline.fromNs);
    const rows = unpackTimeline(timeline).map(({ name: thread, spans }) => [
      thread,
      ...STATES.map((state) => {
        const own = spans.filter((span) => span.state === state);
        const ns = own.reduce((sum, span) => sum + span.untilNs - span.fromNs, 0);
        const longest = Math.max(0, ...own.map((span) => span.untilNs - span.fromNs));
        return own.length === 0
          ? ''
          : `${writeFigure('cpu', ns / wholeNs)}: ${own.length.toLocaleString('en')} × at most ${writeWithUnit('max', longest)}`;
      }),
    ]);
    return [
      {
        title: `${name}: what each thread did, of ${writeWithUnit('max', wholeNs)}`,
        head: ['thread', ...STATES],
        keys: 1,
        rows,
        notes: ['share of the time, how often, and the longest'],
      },
    ];
  });
}
