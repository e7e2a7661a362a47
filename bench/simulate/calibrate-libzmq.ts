/**
 * What libzmq costs. A send through zeromq.js and its way are measured; the work of libzmq's I/O thread, and what an event loop adds to a
 * receive, are solved for: with them the simulated round trips of two servers are as long as the real ones. Unloaded and without a lock,
 * so that nothing else is in them, and on one CPU: on two it depends on these very costs who is woken on which, and a wake-up takes
 * longer than they do.
 */
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { formatEndpoint } from '../../net/libzmq.ts';
import zeromq from '../../server/zeromq.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import { measure } from '../measure/measure.ts';
import type { Workload } from '../result/result.ts';
import { TALK_WORKLOAD } from '../result/talk-workload.ts';
import { type WarmAndCold, warmAndCold } from './calibrate-calls.ts';
import { onOneCpu } from './calibrate-places.ts';
import { median } from './calibrate-samples.ts';
import { simulateCell } from './cell.ts';
import type { Profile } from './profile.ts';

/** Native tells the first cost; zeromq, which has that in it, too, the second. */
type ZeromqServer = 'native' | 'zeromq';
type ZeromqCost = 'ioNs' | 'eventLoopNs';

/** What both servers' round trips were once. */
export interface LibzmqRound {
  /** Of the native server, while nobody else runs. */
  readonly nativeNs: readonly number[];
  /** How many times as long as the native server's are those of the other, while both are measured. */
  readonly zeromqFactor: number;
}

const WORKLOAD = {
  ...TALK_WORKLOAD,
  messages: 1_000,
  warmupMessages: 2_000,
  budgetNs: 10e9,
} satisfies Omit<Workload, 'interpreterCostNs'>;
/** What the others are for, an engine that compiles, is not simulated. */
const SIMULATED_WARMUP = 100;
/** What is tried, and how near is near enough. */
const MOST_NS = 200_000;
const NEAR_NS = 100;

/** Linux's number for threads that never displace who wakes them. */
const SCHED_BATCH = 3;
/** For a message to go one way. */
const PATIENCE_MS = 10_000;
/** How long a thread has slept that sends when it has waited for the lock: a switch interval. Of a shorter sleep the way of a send is less cold. */
const LOCK_WAIT_MS = 5;

/**
 * Measures a send of the server and what it does before one, as it echoes messages of this thread's own. If these are the first sockets of
 * the process, its I/O thread is on this thread's CPU and does not displace it: no send has in it what that thread does.
 */
export async function zmqSends(payloadBytes: number): Promise<{ way: WarmAndCold; send: WarmAndCold }> {
  const { context, Dealer } = await import('zeromq');
  context.threadSchedulingPolicy = SCHED_BATCH;
  context.threadPriority = 0;
  return onOneCpu(async () => {
    const { maxMessageBytes } = WORKLOAD;
    const server = await zeromq.open({ host: '127.0.0.1', port: 0 }, { maxMessageBytes, peerTimeoutNs: Infinity });
    const client = new Dealer({ linger: 0, sendTimeout: PATIENCE_MS, receiveTimeout: PATIENCE_MS });
    try {
      const first = server.task.next();
      if (first.done === true || first.value.call !== 'zmqReceive')
        throw new Error('the server does not begin to receive');
      const { socket } = first.value;
      client.connect(formatEndpoint({ host: '127.0.0.1', port: server.port }));
      const payload = new Uint8Array(payloadBytes);
      let frames: Uint8Array[] = [];
      return await warmAndCold(
        { way: () => socket.goTheWay(), send: () => socket.send(frames) },
        {
          sleptMs: LOCK_WAIT_MS,
          async before() {
            await client.send(payload);
            frames = await socket.receive();
          },
          after: () => client.receive(),
        },
      );
    } finally {
      client.close();
      server.close();
    }
  });
}

/**
 * Measures both servers once, and how they differ at the same time: a CPU of a shared machine is two thirds as fast for a second, and one
 * after the other they would meet different seconds. At the same time each finds less in the caches, which is a share of either.
 */
export async function roundTripsOfLibzmq(leafNs: number, interpreterCostNs: number): Promise<LibzmqRound> {
  const never = new AbortController().signal;
  const setup = { workload: { ...WORKLOAD, interpreterCostNs }, leafNs, lockCounter: null, records: false };
  const of = async (server: ZeromqServer) => {
    const round = await measure({ round: 1, cell: await cellOf(server) }, setup, never, never);
    if (round?.state !== 'measured') throw new Error(`${server} could not be measured: ${round?.message}`);
    return round.rttNs;
  };
  return onOneCpu(async () => {
    const nativeNs = await of('native');
    const [native, zeromq] = await Promise.all([of('native'), of('zeromq')]);
    return { nativeNs, zeromqFactor: median(zeromq) / median(native) };
  });
}

/**
 * Solves.
 *
 * @param rounds what {@link roundTripsOfLibzmq} measured, with the profile's interpreter cost
 * @returns the profile with these costs
 */
export async function withLibzmq(profile: Profile, rounds: readonly LibzmqRound[]): Promise<Profile> {
  const nativeNs = median(rounds.flatMap((round) => round.nativeNs));
  const factors = sortSamples(rounds.map((round) => round.zeromqFactor));
  const zeromqNs = nativeNs * percentile(factors, 50);
  return solve(await solve(profile, 'native', 'ioNs', nativeNs), 'zeromq', 'eventLoopNs', zeromqNs);
}

async function cellOf(server: ZeromqServer) {
  return { server, policy: await readPolicySpec('free-threaded'), scenario: 'unloaded' } as const;
}

/** Finds the cost for which the simulated round trip is as long as the measured one, in the median. */
async function solve(profile: Profile, server: ZeromqServer, cost: ZeromqCost, wantedNs: number): Promise<Profile> {
  const { interpreterCostNs } = profile;
  const workload = { ...WORKLOAD, warmupMessages: SIMULATED_WARMUP, interpreterCostNs };
  const setup = { ...(await cellOf(server)), cpus: 1, spinners: 0, workload, seed: 1, round: 1, records: false };
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
