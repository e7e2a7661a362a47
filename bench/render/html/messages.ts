/**
 * A typical and a slow message of each cell, in pieces: how long the server's thread was in system calls, waited for the lock,
 * worked. Where a timeline was recorded, the pieces are in their order, and the timeline itself can be looked into.
 */
import type { State } from '../../../lock/timeline.ts';
import { percentile, sortSamples } from '../../figures/statistics.ts';
import { nameOfCell, type Summary } from '../../figures/summary.ts';
import type { MeasuredRound } from '../../result/result.ts';
import { writeFigure } from '../format.ts';
import type { Table } from '../table.ts';
import { type CellView, type Message, rounded, type Segment } from './charts.ts';
import { packTimeline, servingSpans, windowAround } from './timelines.ts';

/** Events in a page, all timelines together: about half a megabyte. */
const MAX_EVENTS = 80_000;
/** A message of a timeline can have more pieces than can be seen. */
const MAX_SEGMENTS = 200;

const PICKED = [
  ['typical', 50],
  ['slow', 99],
] as const;

interface Sample {
  readonly raw: MeasuredRound;
  readonly index: number;
  readonly rttNs: number;
}

/** The cells that can be looked into, and what was left out. */
export function cellViews(summaries: readonly Summary[]): { views: CellView[]; notes: string[] } {
  const measured = summaries.filter(({ rounds }) => rounds.length > 0);
  const recorded = measured.filter((summary) => recordedRound(summary) !== undefined).length;
  const notes: string[] = [];
  const views = measured.map((summary) => viewOf(summary, Math.floor(MAX_EVENTS / Math.max(1, recorded)), notes));
  return { views, notes };
}

function viewOf(summary: Summary, maxEvents: number, notes: string[]): CellView {
  const name = nameOfCell(summary.cell);
  const recorded = recordedRound(summary);
  const { timeline } = recorded ?? {};
  const samples =
    recorded === undefined ? summary.rounds.flatMap(({ raw }) => samplesOf(raw)) : insideTimeline(recorded);
  const picked = PICKED.map(([label, percent]) => ({ label, sample: pick(samples, percent) }));
  const messages = picked.map(({ label, sample }) => messageOf(label, sample));
  if (recorded === undefined || timeline === undefined) return { name, exact: false, messages, timeline: null };
  const slow = picked.at(-1)?.sample;
  const window = windowAround(timeline, (slow?.raw.sentNs[slow.index] ?? 0) + (slow?.rttNs ?? 0) / 2, maxEvents);
  if (window.fromNs > timeline.fromNs || window.untilNs < timeline.untilNs) {
    const seconds = (ns: number) => `${(ns / 1e9).toFixed(3)} s`;
    notes.push(
      `of the timeline of ${name}, ${seconds(timeline.untilNs - timeline.fromNs)} long, the ${seconds(window.untilNs - window.fromNs)} around the slow message`,
    );
  }
  const lost = timeline.threads.reduce((sum, { lostEvents }) => sum + lostEvents, 0);
  if (lost > 0) {
    notes.push(`the recording of ${name} lost ${lost.toLocaleString('en')} events: only its last part is whole`);
  }
  const trips = recorded.sentNs.map((sentNs, i) => [sentNs, recorded.rttNs[i] ?? 0] as const);
  return { name, exact: true, messages, timeline: packTimeline(timeline, window, trips) };
}

/** The first round with a timeline in which a message lies. */
function recordedRound({ rounds }: Summary): MeasuredRound | undefined {
  return rounds.map(({ raw }) => raw).find((raw) => insideTimeline(raw).length > 0);
}

function samplesOf(raw: MeasuredRound): Sample[] {
  return raw.rttNs.map((rttNs, index) => ({ raw, index, rttNs }));
}

function insideTimeline(raw: MeasuredRound): Sample[] {
  const { timeline } = raw;
  if (timeline === undefined) return [];
  return samplesOf(raw).filter(({ index, rttNs }) => {
    const sentNs = raw.sentNs[index] ?? 0;
    return sentNs >= timeline.fromNs && sentNs + rttNs <= timeline.untilNs;
  });
}

/** The first message whose round trip is that percentile; there is one, for percentiles are values that were observed. */
function pick(samples: readonly Sample[], percent: number): Sample {
  const rttNs = percentile(sortSamples(samples.map((sample) => sample.rttNs)), percent);
  return samples.find((sample) => sample.rttNs === rttNs) as Sample;
}

function messageOf(label: string, { raw, index, rttNs }: Sample): Message {
  const sentNs = raw.sentNs[index] ?? 0;
  return {
    label,
    rttMs: rounded(rttNs / 1e6),
    sentMs: Math.round(sentNs / 1e3) / 1e3,
    segments: raw.timeline === undefined ? splitSegments(raw, index, rttNs) : exactSegments(raw, sentNs, rttNs),
  };
}

/** In the order of the legend, for when each was is not known. */
function splitSegments({ lockWaitNs, workNs }: MeasuredRound, index: number, rttNs: number): Segment[] {
  if (lockWaitNs === null || workNs === null) return [];
  const [lock, work] = [lockWaitNs[index] ?? 0, workNs[index] ?? 0];
  const parts: [State, number][] = [
    ['call', Math.max(0, rttNs - lock - work)],
    ['sleeps', lock],
    ['runs', work],
  ];
  let atNs = 0;
  return parts.map(([state, ns]) => {
    const fromNs = atNs;
    atNs += ns;
    return { state, fromMs: rounded(fromNs / 1e6), untilMs: rounded(atNs / 1e6) };
  });
}

function exactSegments({ timeline }: MeasuredRound, sentNs: number, rttNs: number): Segment[] {
  if (timeline === undefined) return [];
  return servingSpans(timeline, sentNs, sentNs + rttNs)
    .slice(0, MAX_SEGMENTS)
    .map(({ state, call, fromNs, untilNs }) => ({
      state,
      ...(state === 'call' ? { call: timeline.calls[call ?? 0] ?? 'call' } : {}),
      fromMs: rounded((fromNs - sentNs) / 1e6),
      untilMs: rounded((untilNs - sentNs) / 1e6),
    }));
}

/** The words for states. */
export const STATE_WORDS: Readonly<Record<State, string>> = {
  call: 'in a call, on the wire, in the client',
  wants: 'wants the lock, awake',
  sleeps: 'waits for the lock, asleep',
  runs: 'runs, holding the lock',
  away: 'takes no part',
};

/** A row for each message: its round trip, and how much of it was what. */
export function messagesTable(views: readonly CellView[]): Table {
  const write = (ms: number) => writeFigure('p50', ms * 1e6);
  return {
    title: 'A typical and a slow message, ms',
    head: ['cell', 'message', 'sent at', 'round trip', 'calls', 'lock', 'work'],
    keys: 2,
    rows: views.flatMap(({ name, messages }) =>
      messages.map(({ label, rttMs, sentMs, segments }) => {
        const of = (...states: State[]) =>
          segments.length === 0
            ? ''
            : write(
                segments
                  .filter(({ state }) => states.includes(state))
                  .reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0),
              );
        return [name, label, write(sentMs), write(rttMs), of('call', 'away'), of('wants', 'sleeps'), of('runs')];
      }),
    ),
    notes: [
      'typical: the median round trip of the cell; slow: its 99th percentile; each a message that was observed. Where a timeline was recorded, of the messages in it',
      'empty: of this interpreter’s lock nothing is known',
    ],
  };
}

/** The slow messages whose steps are known, step by step. */
export function stepsTables(views: readonly CellView[]): Table[] {
  return views
    .filter(({ exact }) => exact)
    .flatMap(({ name, messages }) =>
      messages
        .filter(({ label }) => label === 'slow')
        .map(({ segments }) => ({
          title: `${name}: the steps of the slow message`,
          head: ['from, ms', 'for, ms', 'the server’s thread'],
          keys: 1,
          rows: segments.map(({ state, call, fromMs, untilMs }) => [
            writeFigure('p50', fromMs * 1e6),
            writeFigure('p50', (untilMs - fromMs) * 1e6),
            call === undefined ? STATE_WORDS[state] : `in ${call}`,
          ]),
          notes: [],
        })),
    );
}
