/**
 * Every measurement on the slides of David Beazley, "Embracing the Global Interpreter Lock", PyCodeConf, Miami, 6 October 2011: an
 * 8-CPU c1.xlarge instance, 10,000 messages of 8 KiB, 1 ms pause after each, one CPU thread.
 */
import type { Scenario, Workload } from '../result/result.ts';

/** The unloaded server "runs at about 10-20% CPU load" (slide "An Experiment: Messaging, Scenario 1"). */
export const TALK_CPU_SHARE = { low: 0.1, high: 0.2 } as const;

/** One figure, and where it stands. */
export interface TalkFigure {
  readonly slide: string;
  /** The slide in two words. */
  readonly table: string;
  readonly server: string;
  readonly policy: string;
  readonly scenario: Scenario;
  /** "Time to send/receive 10000 8k messages". */
  readonly seconds: number;
  /** "7.0x slower", against the unloaded server of Python 3.2; "same" is 1; null where the slide gives none. */
  readonly slower: number | null;
}

type Row = readonly [server: string, seconds: number, slower: number | null];

const SAME = 1;

/** In the order of the talk. */
export const TALK_FIGURES: readonly TalkFigure[] = [
  ...slide('An Experiment: Messaging, Scenario 1: Unloaded server (Py3.2)', 'unloaded', 'py32', 'unloaded', [
    ['native', 12.8, null],
    ['zeromq', 13.0, null],
    ['multiprocessing', 11.6, null],
    ['blocking', 11.8, null],
    ['nonblocking', 12.2, null],
  ]),
  ...slide(
    'An Experiment: Messaging, Scenario 2: Server competes with one CPU-thread (Py3.2)',
    'Python 3.2',
    'py32',
    'loaded',
    [
      ['native', 12.6, SAME],
      ['zeromq', 91.6, 7.0],
      ['multiprocessing', 103.3, 8.9],
      ['blocking', 142.7, 12.1],
      ['nonblocking', 126.2, 10.3],
    ],
  ),
  ...slide('Thought: Try PyPy (pypy-1.6)', 'PyPy 1.6', 'pypy16', 'loaded', [
    ['blocking', 6689.2, 567],
    ['nonblocking', 4975.0, 408],
  ]),
  ...slide('Thought: Try Python2.7 (Py2.7)', 'Python 2.7', 'py27', 'loaded', [
    ['native', 12.6, SAME],
    ['zeromq', 27.7, 2.1],
    ['multiprocessing', 15.0, 1.3],
    ['blocking', 15.6, 1.3],
    ['nonblocking', 18.1, 1.5],
  ]),
  ...slide('Messaging + Priorities (Py3.2+priorities)', 'priorities', 'priority', 'loaded', [
    ['native', 12.6, SAME],
    ['zeromq', 17.6, 1.3],
    ['multiprocessing', 14.2, 1.2],
    ['blocking', 13.0, 1.1],
    ['nonblocking', 14.0, 1.1],
  ]),
];

function slide(title: string, table: string, policy: string, scenario: Scenario, rows: readonly Row[]): TalkFigure[] {
  return rows.map(([server, seconds, slower]) => ({ slide: title, table, server, policy, scenario, seconds, slower }));
}

/** What the talk published for a cell. A policy with other options than its own was not in the talk. */
export function talkFigureOf(server: string, policy: string, scenario: Scenario): TalkFigure | undefined {
  return TALK_FIGURES.find(
    (figure) => figure.server === server && figure.policy === policy && figure.scenario === scenario,
  );
}

/** The client's pacing is the talk's: totals per 10,000 messages, and CPU shares, can be held beside the slides. */
export function isTalkPaced({ payloadBytes, delayNs }: Workload): boolean {
  return payloadBytes === 8_192 && delayNs === 1e6;
}

/** Pacing and load are the talk's. The number of messages need not be: totals are scaled. */
export function isTalkWorkload(workload: Workload): boolean {
  return isTalkPaced(workload) && workload.spinners === 1 && workload.spinnerKind === 'fib';
}
