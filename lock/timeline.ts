/**
 * What the threads under a lock did, moment by moment: the words for it, and the form in which it is kept and drawn.
 *
 * A thread is in exactly one state at any time, from the event that says so to its next state. Marks are moments in between.
 *
 * Every thread under a lock loads this, and so nothing with it that a thread does not need: the schema is in `timeline-schema.ts`.
 */
import type { ThreadTimeline, Timeline } from './timeline-schema.ts';

export type { ThreadTimeline, Timeline } from './timeline-schema.ts';

export const STATES = [
  /** Gave the lock up for a system call, and is in it. */
  'call',
  /** Wants the lock, awake: it just asked, or tries again. */
  'wants',
  /** Asleep on the words of the lock. */
  'sleeps',
  /** Holds the lock. */
  'runs',
  /** Takes no part: before its first acquire, after its last release. */
  'away',
] as const;
export type State = (typeof STATES)[number];

export const MARKS = [
  /** Asked the holder to give the lock up: set the word that it looks at on its yield points. */
  'drop-requested',
  /** Gave the lock up at a yield point, and did not have it back at once. */
  'drop-honoured',
  /** Came back from a call without the lock, and another thread had held it meanwhile. */
  'stolen',
] as const;
export type Mark = (typeof MARKS)[number];

/** An event in a timeline is the index of its word here. */
export const EVENTS = [...STATES, ...MARKS] as const;

/** Word → its number in {@link EVENTS}. */
export const EVENT = Object.fromEntries(EVENTS.map((event, i) => [event, i])) as Readonly<Record<State | Mark, number>>;

/** Whether the number of a word in {@link EVENTS} is that of a state. */
export function isStateNumber(event: number): boolean {
  return event < STATES.length;
}

/**
 * A part of a timeline, as a timeline.
 *
 * @param fromNs not before its beginning
 * @param untilNs not after its end
 */
export function partOf(timeline: Timeline, fromNs: number, untilNs: number): Timeline {
  return { ...timeline, fromNs, untilNs, threads: timeline.threads.map((thread) => cut(thread, fromNs, untilNs)) };
}

/** The same by another clock: `timeOf` turns a time into that clock's, in whole nanoseconds and in their order. */
export function retimed(timeline: Timeline, timeOf: (ns: number) => number): Timeline {
  const threads = timeline.threads.map((thread) => ({ ...thread, atNs: thread.atNs.map(timeOf) }));
  return { ...timeline, fromNs: timeOf(timeline.fromNs), untilNs: timeOf(timeline.untilNs), threads };
}

/**
 * Cuts a thread's events to a time, so that the first says the state it was in at the beginning.
 *
 * @param thread one that was away before its first event
 */
export function cut(thread: ThreadTimeline, fromNs: number, untilNs: number): ThreadTimeline {
  const { atNs, event, by } = thread;
  let first = 0;
  let state = -1;
  for (; first < atNs.length && (atNs[first] as number) <= fromNs; first++) {
    if (isStateNumber(event[first] as number)) state = first;
  }
  let end = atNs.length;
  while (end > first && (atNs[end - 1] as number) > untilNs) end--;
  return {
    ...thread,
    atNs: [fromNs, ...atNs.slice(first, end)],
    event: [state < 0 ? EVENT.away : (event[state] as number), ...event.slice(first, end)],
    by: [state < 0 ? 0 : (by[state] as number), ...by.slice(first, end)],
  };
}
