/** Every figure of every cell, a table for each question. */
import { figureOf, intervalOf, type MetricName } from '../figures/metrics.ts';
import { type Summary, TALK_BASELINE } from '../figures/summary.ts';
import { writeFigure, writeWithInterval } from './format.ts';
import { projectedNote } from './policies.ts';
import { type Group, isUnloaded, type Table } from './table.ts';

type Column = readonly [title: string, metric: MetricName];

const ROUND_TRIP: readonly Column[] = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p99', 'p99'],
  ['p99.9', 'p99.9'],
  ['max', 'max'],
];
const SCHEDULED: readonly Column[] = [
  ['p50', 'scheduled-p50'],
  ['p90', 'scheduled-p90'],
  ['p99', 'scheduled-p99'],
  ['p99.9', 'scheduled-p99.9'],
  ['max', 'scheduled-max'],
];
const SPLIT: readonly Column[] = [
  ['lock', 'lock-wait'],
  ['calls', 'calls'],
  ['work', 'work'],
  ['slow: lock', 'slow-lock-wait'],
  ['slow: calls', 'slow-calls'],
  ['slow: work', 'slow-work'],
];
const LOCK: readonly Column[] = [
  ['trans.', 'transitions'],
  ['steals', 'steals'],
  ['waits', 'waits'],
  ['behind', 'behind-spinners'],
  ['CPU', 'cpu'],
  ['keeps', 'spinners-keep'],
];

/** Tables of one group of cells. */
export function detailTables(group: Group, seed: number): Table[] {
  const { title, summaries } = group;
  const measured = summaries.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return [];
  const waited = measured.filter(({ waits }) => waits?.some((count) => count > 0));
  return [
    timeTable(title, measured, seed),
    table(`${title}: round trip, ms`, ROUND_TRIP, measured, [
      'of all rounds together, each value one that was observed',
    ]),
    table(`${title}: echo against the schedule, ms`, SCHEDULED, measured, [
      'from when the message was due, one each unloaded message time, to its echo: with the queue a slow server would have',
    ]),
    table(`${title}: what a round trip is made of, ms`, SPLIT, measured, [
      'the mean; slow: the mean of the slowest 1 %. lock: waiting for it; calls: system calls, the wire, the client; work: of the interpreter',
    ]),
    table(`${title}: the lock and the CPU`, LOCK, measured, [
      'a message: trans., releases of the lock; steals, those in which another took it; waits, those that cost a sleep',
      'behind: of the waiting time, what CPU threads ended; CPU: of the server’s process, 100 % is one CPU',
      ...(isUnloaded(group)
        ? []
        : ['keeps: work of the CPU threads, against the same threads while the server is idle']),
    ]),
    ...(waited.length === 0 ? [] : [waitTable(title, waited)]),
  ];
}

function table(
  title: string,
  columns: readonly Column[],
  summaries: readonly Summary[],
  notes: readonly string[],
): Table {
  return {
    title,
    head: ['server', 'policy', ...columns.map(([name]) => name)],
    keys: 2,
    rows: summaries.map((summary) => [
      ...keysOf(summary),
      ...columns.map(([, name]) => writeFigure(name, figureOf(summary, name))),
    ]),
    notes,
  };
}

function timeTable(group: string, summaries: readonly Summary[], seed: number): Table {
  const write = (summary: Summary, name: MetricName) =>
    writeWithInterval(name, figureOf(summary, name), intervalOf(summary, name, seed));
  return {
    title: `${group}: time for 10,000 messages`,
    head: ['server', 'policy', 'messages', 's / 10,000', '× unloaded', `× ${TALK_BASELINE} unl.`],
    keys: 2,
    rows: summaries.map((summary) => [
      ...keysOf(summary),
      summary.messages.toLocaleString('en'),
      `${write(summary, 'total')}${summary.overBudget ? '*' : ''}`,
      write(summary, 'slowdown'),
      write(summary, 'talk-slowdown'),
    ]),
    notes: [
      ...intervalNote(summaries),
      `× unloaded: against the same policy unloaded; × ${TALK_BASELINE} unl.: against ${TALK_BASELINE} unloaded, as the talk divides`,
      ...projectedNote(summaries),
    ],
  };
}

/** What the parentheses mean, which few rounds weaken. */
function intervalNote(summaries: readonly Summary[]): string[] {
  const most = Math.max(...summaries.map(({ rounds }) => rounds.length));
  if (most === 1) return ['one round: nothing is known about how far the next would differ'];
  const few =
    most > 5
      ? ''
      : `; of ${most} rounds the lowest and the highest, which enclose the true median with ${(
          100 * (1 - 2 ** (1 - most))
        ).toFixed(0)} %`;
  return [`median of the rounds (95 % interval by bootstrap over rounds${few})`];
}

/** Waits by length, in µs, as powers of two let themselves be grouped. */
const WAIT_LIMITS: readonly (readonly [title: string, firstBucket: number])[] = [
  ['< 64 µs', 0],
  ['< 0.5 ms', 7],
  ['< 2 ms', 10],
  ['< 4 ms', 12],
  ['< 8 ms', 13],
  ['< 16 ms', 14],
  ['< 131 ms', 15],
  ['longer', 18],
];

function waitTable(group: string, summaries: readonly Summary[]): Table {
  return {
    title: `${group}: waits for the lock, by length`,
    head: ['server', 'policy', ...WAIT_LIMITS.map(([title]) => title)],
    keys: 2,
    rows: summaries.map((summary) => [
      ...keysOf(summary),
      ...WAIT_LIMITS.map(([, first], i) => {
        const count = (summary.waits ?? []).slice(first, WAIT_LIMITS[i + 1]?.[1]).reduce((sum, n) => sum + n, 0);
        return count === 0 ? '' : count.toLocaleString('en');
      }),
    ]),
    notes: ['how many, all rounds together; lengths are powers of two of a microsecond, 4 ms is 4.096 ms'],
  };
}

function keysOf({ cell }: Summary): string[] {
  return [cell.server, cell.policy];
}
