/** What happened to one message, moment by moment: a round trip laid over the timeline of the server's threads. */
import { EVENT, isStateNumber, type ThreadTimeline, type Timeline } from '../../lock/timeline.ts';
import type { Cell, MeasuredRound } from '../result/result.ts';

/** A message of a cell whose whole round trip is in the timeline of its round. */
export interface TracedMessage {
  readonly cell: Cell;
  readonly round: MeasuredRound;
  readonly timeline: Timeline;
  /** Index into the round's samples. */
  readonly index: number;
}

/** What the thread that served it did, for how long, and who held the lock meanwhile. */
export interface Chapter {
  readonly kind: 'call' | 'wait' | 'run' | 'away';
  /** Of a call, its name. */
  readonly call: string;
  /** Since the message was sent. */
  readonly fromNs: number;
  readonly untilNs: number;
  readonly holders: readonly Holder[];
  /** Of a wait: how long it slept, and when it asked the holder to give the lock up, since the message was sent. */
  readonly asleepNs: number;
  readonly askedAtNs: readonly number[];
}

export interface Holder {
  readonly name: string;
  readonly heldNs: number;
}

/** Who served the message, and what he did until the client had the echo. */
export interface Story {
  readonly thread: string;
  readonly chapters: readonly Chapter[];
}

/** The messages of a cell that can be told. */
export function tracedMessages(cell: Cell): TracedMessage[] {
  return cell.rounds.flatMap((round) => {
    if (round.state !== 'measured' || round.timeline === undefined) return [];
    const { timeline, sentNs, rttNs } = round;
    return [...sentNs.keys()].flatMap((index) => {
      const sent = sentNs[index] as number;
      const whole = sent >= timeline.fromNs && sent + (rttNs[index] as number) <= timeline.untilNs;
      return whole ? [{ cell, round, timeline, index }] : [];
    });
  });
}

export function rttOf({ round, index }: TracedMessage): number {
  return round.rttNs[index] as number;
}

export function tellMessage(message: TracedMessage): Story {
  const { threads, calls } = message.timeline;
  const fromNs = message.round.sentNs[message.index] as number;
  const untilNs = fromNs + rttOf(message);
  const holders = threads.map((thread) => ({
    name: thread.name,
    held: spansOf(thread, fromNs, untilNs).filter(isRun),
  }));
  const servers = threads.filter(({ role }) => role === 'server');
  const served = servers.reduce<ThreadTimeline | undefined>(
    (busiest, thread) =>
      busiest === undefined || eventsIn(thread, fromNs, untilNs) > eventsIn(busiest, fromNs, untilNs)
        ? thread
        : busiest,
    undefined,
  );
  if (served === undefined) return { thread: 'nobody', chapters: [] };
  const chapters = joinWaits(spansOf(served, fromNs, untilNs)).map(({ state, detail, ...span }): Chapter => {
    const asked = marksIn(served, EVENT['drop-requested'], span.fromNs, span.untilNs);
    return {
      kind: KINDS.get(state) ?? 'away',
      call: calls[detail] ?? '',
      fromNs: span.fromNs - fromNs,
      untilNs: span.untilNs - fromNs,
      asleepNs: span.asleepNs,
      askedAtNs: asked.map((at) => at - fromNs),
      holders: holders
        .map(({ name, held }) => ({ name, heldNs: overlapOf(held, span.fromNs, span.untilNs) }))
        .filter(({ heldNs }) => heldNs > 0)
        .sort((a, b) => b.heldNs - a.heldNs),
    };
  });
  return { thread: served.name, chapters };
}

const KINDS: ReadonlyMap<number, Chapter['kind']> = new Map([
  [EVENT.call, 'call'],
  [EVENT.wants, 'wait'],
  [EVENT.sleeps, 'wait'],
  [EVENT.runs, 'run'],
]);

interface Span {
  readonly state: number;
  readonly detail: number;
  readonly fromNs: number;
  readonly untilNs: number;
  readonly asleepNs: number;
}

/** The states of a thread, cut to a time; those that took none are left out. */
function spansOf({ atNs, event, by }: ThreadTimeline, fromNs: number, untilNs: number): Span[] {
  const states = event.flatMap((word, i) => (isStateNumber(word) ? [i] : []));
  return states.flatMap((i, n) => {
    const from = Math.max(fromNs, atNs[i] as number);
    const until = Math.min(untilNs, atNs[states[n + 1] ?? -1] ?? Infinity);
    if (from >= until) return [];
    const state = event[i] as number;
    const asleepNs = state === EVENT.sleeps ? until - from : 0;
    return [{ state, detail: by[i] as number, fromNs: from, untilNs: until, asleepNs }];
  });
}

/** A wait is awake and asleep in turn; here it is one. */
function joinWaits(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  const waits = ({ state }: Span) => KINDS.get(state) === 'wait';
  for (const span of spans) {
    const last = joined.at(-1);
    if (last === undefined || !waits(span) || !waits(last)) joined.push(span);
    else joined[joined.length - 1] = { ...last, untilNs: span.untilNs, asleepNs: last.asleepNs + span.asleepNs };
  }
  return joined;
}

function isRun({ state }: Span): boolean {
  return state === EVENT.runs;
}

function overlapOf(spans: readonly Span[], fromNs: number, untilNs: number): number {
  return spans.reduce(
    (sum, span) => sum + Math.max(0, Math.min(untilNs, span.untilNs) - Math.max(fromNs, span.fromNs)),
    0,
  );
}

function eventsIn({ atNs }: ThreadTimeline, fromNs: number, untilNs: number): number {
  return atNs.reduce((count, at) => count + (at >= fromNs && at <= untilNs ? 1 : 0), 0);
}

function marksIn({ atNs, event }: ThreadTimeline, mark: number, fromNs: number, untilNs: number): number[] {
  return atNs.filter((at, i) => event[i] === mark && at >= fromNs && at <= untilNs);
}
