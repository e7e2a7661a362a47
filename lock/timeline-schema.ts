/** The schema of a timeline, which refuses one that its vocabulary, `timeline.ts`, does not allow. */
import { z } from 'zod';
import { EVENTS, type Mark, STATES, type State } from './timeline.ts';

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

function isState(word: State | Mark): word is State {
  return (STATES as readonly string[]).includes(word);
}
