/** Results made by hand: only what a test is about is said, all else is plausible. */

import {
  type Cell,
  type Environment,
  type MeasuredRound,
  RESULT_VERSION,
  type Result,
  type Round,
  type Workload,
} from '../../bench/result/result.ts';
import { COUNTERS, type Counts, WAIT_BUCKETS } from '../../lock/counters.ts';

export const WORKLOAD: Workload = {
  messages: 4,
  payloadBytes: 8_192,
  delayNs: 1e6,
  warmupMessages: 10,
  budgetNs: 10e9,
  spinners: 1,
  spinnerKind: 'fib',
  interpreterCostNs: 10_000,
  maxMessageBytes: 2 ** 26,
  peerTimeoutNs: null,
  host: '127.0.0.1',
  port: 0,
};

export const ENVIRONMENT: Environment = {
  convoy: '0.1.0',
  revision: null,
  cpu: 'A CPU',
  cpus: '0-7',
  cpuCount: 8,
  memoryBytes: 2 ** 33,
  kernel: '6.1.0',
  node: 'v20.19.0',
  v8: '11.3',
  libzmq: '4.3.5',
  governor: null,
  loadBefore: 0,
  loadAfter: 1,
  stolenShare: 0,
};

const NO_COUNTS = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;

/** What a test may say of a round. */
export interface RoundOptions {
  readonly round?: number;
  readonly rttMs?: readonly number[];
  readonly sentMs?: readonly number[];
  readonly lockWaitMs?: readonly number[];
  readonly workMs?: readonly number[];
  readonly durationMs?: number;
  readonly ended?: 'complete' | 'budget';
  readonly cpuShare?: number;
  readonly counts?: Partial<Counts>;
  /** false: nothing is known of the lock, as of PyPy's. */
  readonly counted?: boolean;
  readonly waits?: Readonly<Record<number, number>>;
  /** Of the work of CPU threads; null: there were none. */
  readonly kept?: number | null;
  readonly connectionErrors?: readonly string[];
  readonly stopError?: string;
}

/** Each message 1 ms after the echo of the one before. */
export function measured(options: RoundOptions = {}): MeasuredRound {
  const { rttMs = [0.1, 0.2, 0.3, 0.4], kept = null, cpuShare = 0.15, counts, counted = true, waits = {} } = options;
  let atMs = 0;
  const sentMs = rttMs.map((rtt) => {
    const sent = atMs;
    atMs += rtt + 1;
    return sent;
  });
  const durationNs = Math.round((options.durationMs ?? atMs) * 1e6);
  const ns = (ms: readonly number[]) => ms.map((value) => Math.round(value * 1e6));
  return {
    state: 'measured',
    round: options.round ?? 1,
    sentNs: ns(options.sentMs ?? sentMs),
    rttNs: ns(rttMs),
    lockWaitNs: counted ? ns(options.lockWaitMs ?? rttMs.map(() => 0)) : null,
    workNs: counted ? ns(options.workMs ?? rttMs.map(() => 0)) : null,
    durationNs,
    ended: options.ended ?? 'complete',
    reading: {
      durationNs,
      cpuNs: durationNs * cpuShare,
      server: counted ? { ...NO_COUNTS, transitions: 3 * rttMs.length, ...counts } : null,
      spinners: counted ? NO_COUNTS : null,
      waits: counted ? Array.from({ length: WAIT_BUCKETS }, (_, i) => waits[i] ?? 0) : null,
    },
    spinnerRoundsPerSecond: kept === null ? null : kept * 20_000,
    soloRoundsPerSecond: kept === null ? null : 20_000,
    connectionErrors: [...(options.connectionErrors ?? [])],
    ...(options.stopError === undefined ? {} : { stopError: options.stopError }),
  };
}

/** Rounds 1, 2, … that took so long for a message each, pause included. */
export function roundsOf(messageMs: readonly number[], options: RoundOptions = {}): MeasuredRound[] {
  return messageMs.map((ms, i) => measured({ ...options, round: i + 1, rttMs: Array(4).fill(ms - 1) }));
}

/** `py32/blocking loaded` → a cell. */
export function cell(name: string, rounds: readonly Round[]): Cell {
  const match = /^(.+)\/(\S+) (\S+)$/.exec(name);
  return {
    policy: match?.[1] ?? '',
    server: match?.[2] ?? '',
    scenario: match?.[3] as Cell['scenario'],
    rounds: [...rounds],
  };
}

export function result(cells: readonly Cell[], rest: Partial<Result> = {}): Result {
  const labels = [...new Set(cells.map(({ policy }) => policy))];
  return {
    format: 'convoy-result',
    version: RESULT_VERSION,
    createdAt: '2011-10-06T12:00:00.000Z',
    argv: [],
    seed: 7,
    rounds: Math.max(0, ...cells.map(({ rounds }) => rounds.length)),
    interrupted: false,
    workload: WORKLOAD,
    leafNs: 150,
    policies: labels.map((label) => ({
      label,
      from: { kind: 'built-in', name: label.replace(/\(.*/, '') },
      options: {},
      spinnerPriority: -1,
      keepLockOn: 'nothing',
    })),
    environment: ENVIRONMENT,
    warnings: [],
    cells: [...cells],
    ...rest,
  };
}

/** All servers and policies of the talk, unloaded and loaded, and figures as wide as they get. */
export function wideResult(policies: readonly string[]): Result {
  const servers = ['native', 'zeromq', 'multiprocessing', 'blocking', 'nonblocking'];
  const cells = servers.flatMap((server) =>
    policies.flatMap((policy) => [
      cell(`${policy}/${server} unloaded`, roundsOf([1.28, 1.18, 1.3])),
      cell(
        `${policy}/${server} loaded`,
        roundsOf([668.92, 497.5, 734.11], {
          ended: 'budget',
          kept: 0.987,
          counts: { steals: 11, waits: 11, waitNs: 4e9, waitBehindSpinnersNs: 3.9e9 },
          waits: { 3: 123_456, 8: 123_456, 11: 123_456, 12: 123_456, 13: 123_456, 14: 123_456, 16: 123_456, 20: 1 },
        }),
      ),
    ]),
  );
  return result(cells);
}
