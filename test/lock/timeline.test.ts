/** A thread is in exactly one state at a time: of made-up lives, of full rings, of parts; and what is not so is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../../lock/recorder.ts';
import { Recording } from '../../lock/recording.ts';
import { EVENT, partOf, type Timeline } from '../../lock/timeline.ts';
import { timelineSchema } from '../../lock/timeline-schema.ts';
import { episodes, live, stateAt } from './recording-life.ts';

const LARGE = 4_096;
const SMALL = 32;
/** What a ring of so many events can be read of for certain. */
const READABLE = SMALL - 16;

const faultOf = (timeline: Timeline) => timelineSchema.safeParse(timeline).error?.issues[0]?.message ?? null;

describe('whatever happens to a thread', () => {
  it('its timeline keeps to the vocabulary, in a large ring and in one that is full', () => {
    fc.assert(
      fc.property(episodes, fc.constantFrom(LARGE, SMALL), (life, capacity) => {
        expect(faultOf(live(life, capacity).timeline)).toBe(null);
      }),
    );
  });

  it('a full ring says how many events it lost, and what is left is what a large one has', () => {
    fc.assert(
      fc.property(episodes, (life) => {
        const { timeline: whole } = live(life, LARGE);
        const { timeline: rest } = live(life, SMALL);
        const written = whole.threads[0]?.atNs.length ?? 0;
        const lost = rest.threads[0]?.lostEvents;
        expect(lost).toBe(Math.max(0, written - READABLE));
        if (lost === 0) expect(rest).toEqual(whole);
        expect(rest).toEqual({
          ...partOf(whole, rest.fromNs, rest.untilNs),
          threads: partOf(whole, rest.fromNs, rest.untilNs).threads.map((thread) => ({ ...thread, lostEvents: lost })),
        });
      }),
    );
  });

  it('a part of its timeline is one, and says the same', () => {
    fc.assert(
      fc.property(episodes, fc.nat(), fc.nat(), fc.nat(), (life, a, b, c) => {
        const { timeline, endNs } = live(life, LARGE);
        const [from, until] = [a % (endNs + 1), b % (endNs + 1)].sort((x, y) => x - y) as [number, number];
        const part = partOf(timeline, from, until);
        expect(faultOf(part)).toBe(null);
        const at = from + (c % (until - from + 1));
        expect(stateAt(part, at)).toBe(stateAt(timeline, at));
      }),
    );
  });
});

it('coming back to a free lock is no wait, and an offer nobody took is nothing', () => {
  const quiet = { runsNs: 100, call: 1, callNs: 50, forced: false, sleeps: [], taker: 0 };
  const { timeline } = live(
    [
      { ...quiet, how: 'call' },
      { ...quiet, how: 'untimed offer' },
      { ...quiet, how: 'call' },
    ],
    LARGE,
  );
  const { runs, call } = EVENT;
  expect(timeline.threads[0]).toMatchObject({ event: [runs, call, runs, call, runs], atNs: [0, 100, 150, 350, 400] });
});

it('a call that loses the lock is a call, a wait, a steal, and who it was', () => {
  const { timeline } = live(
    [
      {
        ...{ runsNs: 100, how: 'call' as const, call: 2, callNs: 10, forced: false, taker: 3 },
        sleeps: [
          { awakeNs: 1, asleepNs: 5_000, asks: true },
          { awakeNs: 2, asleepNs: 20, asks: false },
        ],
      },
    ],
    LARGE,
  );
  const { call, wants, sleeps, runs, stolen } = EVENT;
  expect(timeline.threads[0]).toMatchObject({
    event: [runs, call, wants, sleeps, wants, EVENT['drop-requested'], sleeps, wants, stolen, runs],
    atNs: [0, 100, 110, 111, 5_111, 5_111, 5_113, 5_133, 5_133, 5_133],
    by: [0, 2, 0, 0, 0, 0, 0, 0, 3, 0],
  });
});

it('a thread that lost the lock and was not on a CPU since to write that down does not hold it together with the next one', () => {
  const recording = new Recording(['call'], true, 32);
  let nowNs = 0;
  const [loser, taker] = [1, 2].map((thread) => new Recorder(recording.add(thread, 'spinner'), () => nowNs));
  loser?.wants();
  loser?.holds(0);
  nowNs = 100;
  loser?.offers(true);
  taker?.wants();
  nowNs = 110;
  taker?.holds(1);
  nowNs = 500;
  const { runs, wants } = EVENT;
  const early = recording.read(0, nowNs);
  expect(faultOf(early)).toBe(null);
  expect(early.threads[0]).toMatchObject({ event: [runs, EVENT['drop-honoured'], wants], atNs: [0, 110, 110] });
  loser?.sleeps();
  expect(recording.read(0, nowNs).threads[0]).toMatchObject({
    event: [runs, EVENT['drop-honoured'], wants, EVENT.sleeps],
    atNs: [0, 100, 100, 500],
  });
});

it.each([
  ['that was read', 130],
  ['that was not', undefined],
])('a thread that finds the lock free after a call runs from when it has it, by a clock %s', (_, atNs) => {
  const recording = new Recording(['call'], true, 32);
  let nowNs = 0;
  const recorder = new Recorder(recording.add(1, 'server'), () => nowNs);
  recorder.wants();
  recorder.holds(0);
  recorder.calls(1, 100);
  recorder.wants(Number.NaN);
  nowNs = 130;
  recorder.holds(0, atNs);
  const { runs, call } = EVENT;
  expect(recording.read(0, nowNs).threads[0]).toMatchObject({ event: [runs, call, runs], atNs: [0, 100, 130] });
});

it('a thread that gets the number of one that ended gets the name of no other', () => {
  const recording = new Recording(['call'], true, 32);
  for (const thread of [1, 2, 3]) recording.add(thread, 'server');
  recording.add(4, 'spinner');
  recording.add(2, 'server');
  recording.add(5, 'server');
  const names = recording.read(0, 1).threads.map(({ thread, name }) => [thread, name]);
  expect(Object.fromEntries(names)).toEqual({
    ...{ 1: 'server', 2: 'connection 1', 3: 'connection 2', 4: 'CPU thread 1', 5: 'connection 3' },
  });
});

describe('refused', () => {
  const { runs, call, sleeps, stolen } = EVENT;
  const thread = { thread: 1, name: 'server', role: 'server' as const, lostEvents: 0 };
  const timelineOf = (...events: [at: number, event: number, by?: number][]): Timeline => ({
    ...{ fromNs: 0, untilNs: 100, calls: ['call'] },
    threads: [
      {
        ...thread,
        atNs: events.map(([at]) => at),
        event: events.map(([, e]) => e),
        by: events.map(([, , by = 0]) => by),
      },
    ],
  });

  it.each([
    ['two states that cannot follow each other', timelineOf([0, runs], [5, runs]), 'cannot follow'],
    ['a thread asleep that runs without having woken', timelineOf([0, sleeps], [5, runs]), 'cannot follow'],
    ['an event before the one before it', timelineOf([0, runs], [9, call], [8, runs]), 'before the one before it'],
    ['an event after the end', timelineOf([0, runs], [101, call]), 'after the end'],
    ['no state at the beginning', timelineOf([1, runs]), 'not at the beginning'],
    ['a mark before any state', timelineOf([0, stolen, 2]), 'before any state'],
    ['a steal by nobody', timelineOf([0, call], [5, stolen]), 'names thread 0'],
    ['a steal from a thread that runs', timelineOf([0, runs], [5, stolen, 2]), 'does not want'],
    ['a drop by a thread in a call', timelineOf([0, call], [5, EVENT['drop-honoured']]), 'does not run'],
    ['a call without a name', timelineOf([0, call, 7]), 'has no name'],
    ['a word there is not', timelineOf([0, 99]), 'expected number to be <=7'],
  ])('%s', (_what, timeline, message) => {
    expect(faultOf(timeline)).toContain(message);
  });

  it('a thread that is in it twice', () => {
    const { threads, ...rest } = timelineOf([0, runs]);
    expect(faultOf({ ...rest, threads: [...threads, ...threads] })).toContain('twice');
  });
});
