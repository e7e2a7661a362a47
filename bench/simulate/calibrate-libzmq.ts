/**
 * What libzmq costs. The way of a send through zeromq.js is measured; the work of libzmq's I/O thread, and what an event loop adds to a receive, are
 * solved for: with them the simulated round trips of two servers are as long as the real ones. Unloaded and without a lock, so that
 * nothing else is in them.
 */
import { readPolicySpec } from '../../lock/policy-spec.ts';
import zeromq from '../../server/zeromq.ts';
import { measure } from '../measure/measure.ts';
import type { Workload } from '../result/result.ts';
import { TALK_WORKLOAD } from '../result/talk-workload.ts';
import { warmAndCold } from './calibrate-calls.ts';
import { median } from './calibrate-samples.ts';
import { simulateCell } from './cell.ts';
import type { Profile } from './profile.ts';

/** Which server tells which cost; the second has the first in it, too. */
const COSTS = [
  ['native', 'ioNs'],
  ['zeromq', 'eventLoopNs'],
] as const;
type ZeromqServer = (typeof COSTS)[number][0];
type ZeromqCost = (typeof COSTS)[number][1];

/** Round trips of both servers, ns. */
type RoundTripsNs = Readonly<Record<ZeromqServer, readonly number[]>>;

const WORKLOAD = {
  ...TALK_WORKLOAD,
  messages: 400,
  warmupMessages: 2_000,
  budgetNs: 10e9,
} satisfies Omit<Workload, 'interpreterCostNs'>;
/** What the others are for, an engine that compiles, is not simulated. */
const SIMULATED_WARMUP = 100;
/** What is tried, and how near is near enough. */
const MOST_NS = 200_000;
const NEAR_NS = 100;

/** How long a thread has slept that sends when it has waited for the lock: a switch interval. Of a shorter sleep the way of a send is less cold. */
const LOCK_WAIT_MS = 5;

/** Measures what the server does before a send, on a socket of its own to which nobody is connected. */
export async function zmqWays(): Promise<ReturnType<typeof warmAndCold>> {
  const { maxMessageBytes } = WORKLOAD;
  const server = await zeromq.open({ host: '127.0.0.1', port: 0 }, { maxMessageBytes, peerTimeoutNs: Infinity });
  try {
    const first = server.task.next();
    if (first.done === true || first.value.call !== 'zmqReceive')
      throw new Error('the server does not begin to receive');
    const { socket } = first.value;
    return warmAndCold(() => socket.goTheWay(), LOCK_WAIT_MS);
  } finally {
    server.close();
  }
}

/** Measures both servers once. */
export async function roundTripsOfLibzmq(leafNs: number, interpreterCostNs: number): Promise<RoundTripsNs> {
  const never = new AbortController().signal;
  const setup = { workload: { ...WORKLOAD, interpreterCostNs }, leafNs, lockCounter: null, records: false };
  const of = async (server: ZeromqServer) => {
    const round = await measure({ round: 1, cell: await cellOf(server) }, setup, never, never);
    if (round?.state !== 'measured') throw new Error(`${server} could not be measured: ${round?.message}`);
    return round.rttNs;
  };
  return { native: await of('native'), zeromq: await of('zeromq') };
}

/**
 * Solves.
 *
 * @param rounds what {@link roundTripsOfLibzmq} measured, with the profile's interpreter cost
 * @returns the profile with these costs
 */
export async function withLibzmq(profile: Profile, rounds: readonly RoundTripsNs[]): Promise<Profile> {
  let solved = profile;
  for (const [server, cost] of COSTS) {
    solved = await solve(solved, server, cost, median(rounds.flatMap((round) => round[server])));
  }
  return solved;
}

async function cellOf(server: ZeromqServer) {
  return { server, policy: await readPolicySpec('free-threaded'), scenario: 'unloaded' } as const;
}

/** Finds the cost for which the simulated round trip is as long as the measured one, in the median. */
async function solve(profile: Profile, server: ZeromqServer, cost: ZeromqCost, wantedNs: number): Promise<Profile> {
  const { cpus, interpreterCostNs } = profile;
  const workload = { ...WORKLOAD, warmupMessages: SIMULATED_WARMUP, interpreterCostNs };
  const setup = { ...(await cellOf(server)), cpus, spinners: 0, workload, seed: 1, round: 1, records: false };
  const withCost = (ns: number): Profile => ({ ...profile, zeromq: { ...profile.zeromq, [cost]: ns } });
  let low = 0;
  let high = MOST_NS;
  while (high - low > NEAR_NS) {
    const middle = Math.round((low + high) / 2);
    const { round } = await simulateCell({ ...setup, profile: withCost(middle) });
    if (round.state !== 'measured') throw new Error(round.message);
    if (median(round.rttNs) < wantedNs) low = middle;
    else high = middle;
  }
  return withCost(low);
}
