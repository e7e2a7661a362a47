/**
 * What the threads under a lock did, moment by moment: the words for it, and the form in which it is kept and drawn.
 *
 * A thread is in exactly one state at any time, from the event that says so to its next state. Marks are moments in between.
 */
import { z } from 'zod';

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
type Mark = (typeof MARKS)[number];

/** An event in a timeline is the index of its word here. */
export const EVENTS = [...STATES, ...MARKS] as const;

/** Word → its number in {@link EVENTS}. */
export const EVENT = Object.fromEntries(EVENTS.map((event, i) => [event, i])) as Readonly<Record<State | Mark, number>>;

const wholeNs = z.number().int();

const threadTimelineSchema = z.strictObject({
  /** Its number under the lock, from 1. */
  thread: z.number().int().positive(),
  /** `server`, `connection 1`, `CPU thread 1`, … */
  name: z.string(),
  role: z.enum(['server', 'spinner']),
  /** Events since the run began that were overwritten before they were read: what is missing before `fromNs`. */
  lostEvents: z.number().int().nonnegative(),
  /** When each event was. The first is at `fromNs`, and says the state the thread was in then. */
  atNs: z.array(wholeNs),
  /** What it was: an index into `call`, `wants`, `sleeps`, `runs`, `away`, `drop-requested`, `drop-honoured`, `stolen`. */
  event: z.array(
    z
      .number()
      .int()
      .nonnegative()
      .max(EVENTS.length - 1),
  ),
  /** Of `stolen`, the number of the thread that had held the lock. Of `call`, which one: an index into `calls`. Else 0. */
  by: z.array(z.number().int().nonnegative()),
});
export type ThreadTimeline = z.infer<typeof threadTimelineSchema>;

const plainSchema = z.strictObject({
  /** From when on every thread's events are whole: later than the start if some were overwritten. */
  fromNs: wholeNs,
  untilNs: wholeNs,
  /** Names of calls. The first is that of a call nothing is known about: `call`. */
  calls: z.array(z.string()).min(1),
  threads: z.array(threadTimelineSchema),
});
export type Timeline = z.infer<typeof plainSchema>;

/** All times are whole nanoseconds since the run's start, as those of its round trips. */
export const timelineSchema = plainSchema.superRefine((timeline, context) => {
  const fault = faultOf(timeline);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});

/** What can follow a state. */
const FOLLOWS: Readonly<Record<State, readonly State[]>> = {
  // A thread that was asked to give the lock up sleeps until another has it, be it on its way into a call or out of its life.
  call: ['wants', 'sleeps', 'runs'],
  wants: ['sleeps', 'runs'],
  sleeps: ['wants', 'call', 'away'],
  runs: ['call', 'wants', 'away'],
  away: ['wants', 'sleeps', 'runs'],
};

/** What is wrong with a timeline as its vocabulary has it, or null. */
function faultOf({ fromNs, untilNs, calls, threads }: Timeline): string | null {
  if (fromNs > untilNs) return 'it ends before it begins';
  if (new Set(threads.map(({ thread }) => thread)).size < threads.length) return 'a thread is in it twice';
  for (const thread of threads) {
    const fault = faultOfThread(thread, fromNs, untilNs, calls);
    if (fault !== null) return `${thread.name} (thread ${thread.thread}): ${fault}`;
  }
  return null;
}

function faultOfThread(
  { thread, atNs, event, by }: ThreadTimeline,
  fromNs: number,
  untilNs: number,
  calls: readonly string[],
): string | null {
  if (event.length !== atNs.length || by.length !== atNs.length) return 'its lists differ in length';
  if (atNs[0] !== fromNs) return 'its first event is not at the beginning';
  let state = null as State | null;
  let beforeNs = fromNs;
  for (const [i, at] of atNs.entries()) {
    const word = EVENTS[event[i] as number];
    const detail = by[i] as number;
    if (word === undefined) return `event ${i} is none`;
    const where = `event ${i}, ${word} at ${at} ns,`;
    if (at < beforeNs) return `${where} is before the one before it`;
    if (at > untilNs) return `${where} is after the end`;
    if (word === 'stolen' ? detail === 0 || detail === thread : detail !== 0 && word !== 'call')
      return `${where} names thread ${detail}`;
    if (word === 'call' && calls[detail] === undefined) return `${where} names call ${detail}, which has no name`;
    if (isState(word)) {
      if (state !== null && !FOLLOWS[state].includes(word)) return `${where} cannot follow ${state}`;
      state = word;
    } else if (state === null) return `${where} comes before any state`;
    else if (word === 'drop-honoured' && state !== 'runs') return `${where} by a thread that does not run`;
    else if (word === 'stolen' && state !== 'wants') return `${where} from a thread that does not want the lock`;
    beforeNs = at;
  }
  return null;
}

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

function isState(word: State | Mark): word is State {
  return (STATES as readonly string[]).includes(word);
}
