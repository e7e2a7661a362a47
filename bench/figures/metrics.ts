/**
 * Every figure there is of a cell, in one list: its name in thresholds and files, its unit, what it means, and how it is made of
 * rounds. Tables, files, thresholds and comparisons all read this list, and so say the same.
 */
import { median } from 'simple-statistics';
import type { CounterName } from '../../lock/counters.ts';
import { bootstrapInterval, type Interval } from './bootstrap.ts';
import { countBelow, pooledPercentile, type SortedSamples } from './statistics.ts';
import { type RoundSummary, type Summary, TALK_BASELINE, TALK_MESSAGES } from './summary.ts';

/**
 * How a value is held, and written: seconds and milliseconds in nanoseconds, `share` from 0 to 1 and written in per cent, `ratio`
 * and `count` as they are.
 */
export type Unit = 'seconds' | 'milliseconds' | 'ratio' | 'share' | 'count';

/** What a cell must have beside it for a metric to exist. */
export type Need = 'nothing' | 'unloaded-beside' | 'talk-baseline' | 'spinners';

export interface Metric {
  readonly name: string;
  readonly unit: Unit;
  readonly meaning: string;
  readonly needs: Need;
  /** @returns null where these rounds have no such figure */
  of(rounds: readonly RoundSummary[]): number | null;
}

type Rounds = readonly RoundSummary[];

/** A frame of a screen that draws 60 a second. */
const FRAME_NS = 16.7e6;
/** What people take to be at once, and what keeps them in their thought (R. B. Miller 1968). */
const AT_ONCE_NS = 100e6;
const IN_THOUGHT_NS = 1e9;

/** The slowest 1 %: round trips from this percentile on. */
const SLOW_PERCENT = 99;

const totals = {
  total: metric('seconds', `time for ${TALK_MESSAGES.toLocaleString('en')} messages, pauses included`, (rounds) =>
    medianOf(rounds.map(({ totalNs }) => totalNs)),
  ),
  slowdown: metric(
    'ratio',
    'total against the same policy unloaded, of the same round',
    (rounds) => medianOf(rounds.map(({ slowdown }) => slowdown)),
    'unloaded-beside',
  ),
  'talk-slowdown': metric(
    'ratio',
    `total against ${TALK_BASELINE} unloaded, of the same round: how the talk divides`,
    (rounds) => medianOf(rounds.map(({ talkSlowdown }) => talkSlowdown)),
    'talk-baseline',
  ),
};

const latencies = {
  ...percentiles('', 'round trip', ({ rttNs }) => rttNs),
  ...percentiles('scheduled-', 'echo against when the message was due', ({ scheduledNs }) => scheduledNs),
};

const perMessage = {
  transitions: metric('count', 'times a message that the server gave up the lock and took it again', (rounds) =>
    countPerMessage(rounds, 'transitions'),
  ),
  steals: metric('count', 'transitions a message between which another thread had the lock', (rounds) =>
    countPerMessage(rounds, 'steals'),
  ),
  waits: metric('count', 'steals a message for which the server had to sleep', (rounds) =>
    countPerMessage(rounds, 'waits'),
  ),
};

const split = {
  ...parts('', 'a message, on average', 0),
  ...parts('slow-', 'a message, on average of the slowest 1 %', SLOW_PERCENT),
};

const shares = {
  'behind-spinners': metric(
    'share',
    'of the time the server waited for the lock, what ended when a CPU thread gave it up',
    (rounds) => {
      const waitNs = countOf(rounds, 'waitNs');
      const behindNs = countOf(rounds, 'waitBehindSpinnersNs');
      return waitNs === null || behindNs === null || waitNs === 0 ? null : behindNs / waitNs;
    },
  ),
  cpu: metric('share', "CPU time of the server's whole process; 100 % is one CPU", (rounds) => {
    const durationNs = sumOf(rounds, ({ raw }) => raw.reading.durationNs);
    return durationNs === 0 ? null : sumOf(rounds, ({ raw }) => raw.reading.cpuNs) / durationNs;
  }),
  'spinners-keep': metric(
    'share',
    'work of the CPU threads, against the same threads while the server is idle',
    (rounds) =>
      medianOf(
        rounds.map(({ raw: { spinnerRoundsPerSecond: now, soloRoundsPerSecond: alone } }) =>
          now === null || alone === null || alone === 0 ? null : now / alone,
        ),
      ),
    'spinners',
  ),
  'over-16.7ms': later(FRAME_NS, 'a frame of the screen'),
  'over-100ms': later(AT_ONCE_NS, 'what people take to be at once'),
  'over-1s': later(IN_THOUGHT_NS, 'what breaks a train of thought'),
};

const declared = { ...totals, ...latencies, ...perMessage, ...split, ...shares };

export type MetricName = keyof typeof declared;

/** Name → metric, in the order of files. */
export const METRICS = Object.fromEntries(
  Object.entries(declared).map(([name, rest]) => [name, { name, ...rest }]),
) as Readonly<Record<MetricName, Metric>>;

/** A metric of a cell; null if the cell has none. */
export function figureOf({ rounds }: Summary, name: MetricName): number | null {
  return rounds.length === 0 ? null : METRICS[name].of(rounds);
}

/** Its 95 % interval over the rounds; null if there is none, as of one round. */
export function intervalOf({ rounds }: Summary, name: MetricName, seed: number): Interval | null {
  return bootstrapInterval([rounds], ([drawn = []]) => METRICS[name].of(drawn), seed);
}

function metric(unit: Unit, meaning: string, of: Metric['of'], needs: Need = 'nothing'): Omit<Metric, 'name'> {
  return { unit, meaning, needs, of };
}

/** All rounds' samples together: a percentile of each round, averaged, would be no value that was observed. */
function percentiles<Prefix extends string>(
  prefix: Prefix,
  what: string,
  samplesOf: (round: RoundSummary) => SortedSamples | null,
) {
  const needs = prefix === '' ? 'nothing' : 'unloaded-beside';
  const at = (percent: number, meaning: string) =>
    metric(
      'milliseconds',
      `${what}: ${meaning}`,
      (rounds) => {
        const value = pooledPercentile(
          rounds.map(samplesOf).filter((samples) => samples !== null),
          percent,
        );
        return Number.isNaN(value) ? null : value;
      },
      needs,
    );
  return {
    [`${prefix}p50`]: at(50, 'half of all took no longer'),
    [`${prefix}p90`]: at(90, '90 % took no longer'),
    [`${prefix}p99`]: at(99, '99 % took no longer'),
    [`${prefix}p99.9`]: at(99.9, '99.9 % took no longer'),
    [`${prefix}max`]: at(100, 'the longest'),
  } as Record<`${Prefix}${'p50' | 'p90' | 'p99' | 'p99.9' | 'max'}`, Omit<Metric, 'name'>>;
}

/** A round trip's three parts. A thread is in exactly one state at any time: they add up to it. */
function parts<Prefix extends string>(prefix: Prefix, of: string, fromPercent: number) {
  const mean = (meaning: string, sumFrom: (round: RoundSummary, from: number) => number | null) =>
    metric('milliseconds', `${meaning}, ${of}`, (rounds) => {
      const fromNs = pooledPercentile(
        rounds.map(({ rttNs }) => rttNs),
        fromPercent,
      );
      let sum = 0;
      let count = 0;
      for (const round of rounds) {
        const from = countBelow(round.rttNs, fromNs);
        const ofRound = sumFrom(round, from);
        if (ofRound === null) return null;
        sum += ofRound;
        count += round.rttNs.length - from;
      }
      return count === 0 ? null : sum / count;
    });
  // Null: what the lock of an interpreter did cannot always be seen.
  const lockWaitNs = ({ lockWaitFromNs }: RoundSummary, from: number) => lockWaitFromNs && (lockWaitFromNs[from] ?? 0);
  const workNs = ({ workFromNs }: RoundSummary, from: number) => workFromNs && (workFromNs[from] ?? 0);
  const rttNs = ({ rttNs: sorted }: RoundSummary, from: number) => sorted.subarray(from).reduce((a, b) => a + b, 0);
  return {
    [`${prefix}lock-wait`]: mean('the server waited for the lock', lockWaitNs),
    [`${prefix}work`]: mean('the server worked, under the lock', workNs),
    [`${prefix}calls`]: mean('the rest: system calls, the wire, the client', (round, from) => {
      const [waited, worked] = [lockWaitNs(round, from), workNs(round, from)];
      return waited === null || worked === null ? null : rttNs(round, from) - waited - worked;
    }),
  } as Record<`${Prefix}${'lock-wait' | 'work' | 'calls'}`, Omit<Metric, 'name'>>;
}

function later(limitNs: number, what: string): Omit<Metric, 'name'> {
  return metric('share', `messages whose round trip took longer than ${limitNs / 1e6} ms, ${what}`, (rounds) =>
    meanPerMessage(rounds, ({ rttNs }) => rttNs.length - countBelow(rttNs, limitNs + 1)),
  );
}

function medianOf(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : median(present);
}

function meanPerMessage(rounds: Rounds, count: (round: RoundSummary) => number): number | null {
  const messages = sumOf(rounds, ({ rttNs }) => rttNs.length);
  return messages === 0 ? null : sumOf(rounds, count) / messages;
}

/** A counter of the server's threads a message; null if it was not counted in some round. */
function countPerMessage(rounds: Rounds, counter: CounterName): number | null {
  const count = countOf(rounds, counter);
  const messages = sumOf(rounds, ({ rttNs }) => rttNs.length);
  return count === null || messages === 0 ? null : count / messages;
}

function countOf(rounds: Rounds, counter: CounterName): number | null {
  const counts = rounds.map(({ raw }) => raw.reading.server).filter((server) => server !== null);
  return counts.length < rounds.length ? null : counts.reduce((sum, server) => sum + server[counter], 0);
}

function sumOf(rounds: Rounds, value: (round: RoundSummary) => number): number {
  return rounds.reduce((sum, round) => sum + value(round), 0);
}
