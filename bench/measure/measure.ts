/** Measures one cell once: fresh processes, told to end at the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RoundTrips } from '../../client/protocol.ts';
import { partOf, retimed, type Timeline } from '../../lock/timeline.ts';
import { loadServer } from '../../server/servers.ts';
import type { Reading } from '../reference/reference-protocol.ts';
import { isReference, type MeasuredRound, type Round } from '../result/result.ts';
import type { PlannedCell, PlannedRound } from '../run/plan.ts';
import { ClientSide } from './client-side.ts';
import {
  endProcess,
  type MeasureSetup,
  type Role,
  type ServerEnd,
  type ServerSide,
  type Stoppable,
  startServerSide,
} from './server-side.ts';
import { MAX_CLOCK_ERROR, splitRoundTrips } from './split.ts';

/** For the news of a process's death to arrive. */
const DEATH_NEWS_MS = 200;
/** More than any server makes for a message that comes in one piece. */
const LOGGED_CALLS_PER_MESSAGE = 8;
const MAX_LOGGED_CALLS = 2_000_000;

/** The processes of a cell. */
interface Processes {
  readonly server: ServerSide;
  readonly client: ClientSide;
  /** Does the CPU work of the offloaded scenario: a server's process without a client. */
  readonly worker: ServerSide | null;
}

/**
 * Measures.
 *
 * @param interrupted ends the measurement early, in an orderly way: the result is null
 * @param killed ends its processes at once
 * @returns the round; failures are results too
 */
export async function measure(
  { round, cell }: PlannedRound,
  setup: MeasureSetup,
  interrupted: AbortSignal,
  killed: AbortSignal,
): Promise<Round | null> {
  let processes: Processes;
  try {
    processes = startProcesses(cell, setup);
  } catch (error) {
    return { state: 'failed', round, message: error instanceof Error ? error.message : String(error) };
  }
  const { client, server, worker } = processes;
  const children: readonly Stoppable[] = [client.process, server.process, ...(worker === null ? [] : [worker.process])];
  const kill = () => {
    for (const child of children) child.kill();
  };
  const stopClient = () => void client.stop().catch(() => {});
  interrupted.addEventListener('abort', stopClient, { once: true });
  killed.addEventListener('abort', kill, { once: true });
  try {
    const measured = await measureIn(processes, cell, setup);
    return interrupted.aborted ? null : { ...measured, round };
  } catch (error) {
    if (interrupted.aborted) return null;
    // When one process dies the other sees a broken connection, often first: the death is what the user must hear of.
    await delay(DEATH_NEWS_MS);
    const cause = children.find((child) => child.lost !== undefined)?.lost ?? error;
    return { state: 'failed', round, message: `${cause instanceof Error ? cause.message : cause}${adviceFor(cell)}` };
  } finally {
    interrupted.removeEventListener('abort', stopClient);
    // Told to end, all of them, whatever happened before; one that has ended already answers nothing.
    await Promise.all(children.map(endProcess));
    killed.removeEventListener('abort', kill);
  }
}

/** A policy of the user's may be why a cell failed, whatever it looks like from outside. */
function adviceFor({ policy }: PlannedCell): string {
  if (isReference(policy) || policy.from.kind !== 'file') return '';
  return `; whether the policy is at fault shows convoy check ${fileURLToPath(policy.from.url)}`;
}

/** @throws Error if one cannot be started; none is then left */
function startProcesses(cell: PlannedCell, setup: MeasureSetup): Processes {
  const { messages, warmupMessages, port } = setup.workload;
  const loggedCalls = Math.min(MAX_LOGGED_CALLS, (messages + warmupMessages) * LOGGED_CALLS_PER_MESSAGE);
  const start = (role: Role) => (setup.startServerSide ?? startServerSide)(cell, setup, role);
  const server = start({ what: "the server's process", port, loggedCalls, records: setup.records });
  try {
    return {
      server,
      client: new ClientSide(),
      worker:
        cell.scenario === 'offloaded'
          ? start({ what: 'the CPU process', port: 0, loggedCalls: 0, records: false })
          : null,
    };
  } catch (error) {
    server.process.kill();
    throw error;
  }
}

async function measureIn(
  { server, client, worker }: Processes,
  cell: PlannedCell,
  setup: MeasureSetup,
): Promise<Omit<MeasuredRound, 'round'>> {
  const { workload } = setup;
  const { host, messages, budgetNs, payloadBytes, delayNs, warmupMessages } = workload;
  const { transport } = await loadServer(cell.server);
  const { port } = await server.start();
  await worker?.start();

  // Without CPU threads: under a policy that starves the server the warm-up would take longer than the run.
  await client.connect({ transport, host, port, payloadBytes, delayNs, warmupMessages }, workload.clientCpus);
  const spinning = worker ?? (cell.scenario === 'unloaded' ? null : server);
  await spinning?.spin();
  const soloBefore = await spinning?.solo();
  await client.settle(budgetNs);

  await server.begin();
  await worker?.begin();
  const trips = await client.run(messages, budgetNs);
  const ended = await server.end();
  const offloaded = await worker?.end();
  setup.onEnd?.(ended);
  const soloAfter = await spinning?.solo();
  const { reading, timeline } = ended;

  if (trips.ended === 'stopped') throw new Error('the client was stopped');
  return {
    ...(await stopBoth(client, server)),
    state: 'measured',
    ...rawSamples(trips, ended),
    durationNs: trips.durationNs,
    ended: trips.ended,
    reading: storedReading(reading),
    spinnerRoundsPerSecond: roundsPerSecond(offloaded?.reading ?? (spinning === null ? null : reading)),
    soloRoundsPerSecond: meanRate(soloBefore, soloAfter),
    ...(timeline === null ? {} : { timeline: timelineOfRun(timeline, trips) }),
  };
}

/** All is measured: a process that does not end as it is told to is noted, and loses nothing. */
async function stopBoth(
  client: ClientSide,
  server: ServerSide,
): Promise<Pick<MeasuredRound, 'connectionErrors' | 'stopError'>> {
  try {
    await client.stop();
    return await server.stop();
  } catch (error) {
    return { connectionErrors: [], stopError: error instanceof Error ? error.message : String(error) };
  }
}

function rawSamples(
  { startedAtNs, sentNs, rttNs }: RoundTrips,
  { calls, clockErrorNs }: ServerEnd,
): Pick<MeasuredRound, 'sentNs' | 'rttNs' | 'lockWaitNs' | 'workNs' | 'clockErrorNs'> {
  // Whole nanoseconds: the clock knows no more.
  const whole = (samples: ArrayLike<number>) => Array.from(samples, Math.round);
  const clock = clockErrorNs === null ? {} : { clockErrorNs: Math.round(clockErrorNs) };
  const trips = { sentNs: whole(sentNs), rttNs: whole(rttNs), ...clock };
  const isUncertain = clockErrorNs !== null && clockErrorNs > MAX_CLOCK_ERROR * meanOf(rttNs);
  if (calls === null || isUncertain) return { ...trips, lockWaitNs: null, workNs: null };
  const { lockWaitNs, workNs } = splitRoundTrips(
    sentNs.map((ns) => startedAtNs + ns),
    rttNs,
    calls,
  );
  return { ...trips, lockWaitNs: whole(lockWaitNs), workNs: whole(workNs) };
}

/** What of a timeline is in the run, counted from its start. */
function timelineOfRun(onMachinesClock: Timeline, { startedAtNs, durationNs }: RoundTrips): Timeline {
  const timeline = retimed(onMachinesClock, (ns) => ns - Math.round(startedAtNs));
  const untilNs = Math.min(timeline.untilNs, Math.round(durationNs));
  return partOf(timeline, Math.min(untilNs, Math.max(timeline.fromNs, 0)), untilNs);
}

function meanOf(samples: Float64Array): number {
  return samples.reduce((sum, ns) => sum + ns, 0) / samples.length;
}

/** The rounds of the CPU threads stand beside it, as a rate. */
function storedReading({ spinnerRounds: _, ...reading }: Reading): MeasuredRound['reading'] {
  return reading;
}

type Solo = Awaited<ReturnType<ServerSide['solo']>>;

/** A CPU may change its speed for seconds (turbo, a neighbour on a shared core): on both sides of a run it is nearest to that of the run. */
function meanRate(before: Solo | undefined, after: Solo | undefined): number | null {
  return before === undefined || after === undefined ? null : (before.roundsPerSecond + after.roundsPerSecond) / 2;
}

function roundsPerSecond(reading: Reading | null): number | null {
  return reading === null ? null : reading.spinnerRounds / (reading.durationNs / 1e9);
}
