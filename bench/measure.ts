/** Measures one cell once: fresh processes, told to end at the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientSetup, clientCommands, type RoundTrips } from '../client/protocol.ts';
import { TICK_NS } from '../lock/interpreter.ts';
import { loadServer } from '../server/echo-server.ts';
import { type ServerSetup, serverCommands } from '../server/protocol.ts';
import { Child } from './child.ts';
import type { PlannedCell, PlannedRound } from './plan.ts';
import type { MeasuredRound, Round, Workload } from './result.ts';
import { splitRoundTrips } from './split.ts';

const SERVER_PROCESS = new URL('../server/main.js', import.meta.url);
const CLIENT_PROCESS = new URL('../client/main.js', import.meta.url);

/** For an answer that costs nothing but starting threads on a busy machine. */
const ANSWER_TIMEOUT_MS = 30_000;
/** For the end of a process that was told to end. */
const END_TIMEOUT_MS = 5_000;
/** For a message of the warm-up, on a busy machine, or a large one. */
const WARMUP_MESSAGE_MS = 50;
/** For the news of a process's death to arrive. */
const DEATH_NEWS_MS = 200;
/** The client ends a run by itself after at most three budgets. */
const BUDGETS_TIMEOUT = 4;
/** More than any server makes for a message that comes in one piece. */
const LOGGED_CALLS_PER_MESSAGE = 8;
const MAX_LOGGED_CALLS = 2_000_000;

/** What every measurement of a run shares. */
export interface MeasureSetup {
  readonly workload: Workload;
  readonly leafNs: number;
}

/** The processes of a cell. */
interface Processes {
  readonly server: Child<typeof serverCommands>;
  readonly client: Child<typeof clientCommands>;
  /** Does the CPU work of the offloaded scenario: a server's process without a client. */
  readonly worker: Child<typeof serverCommands> | null;
}

/** What every process understands. */
type Stoppable = Child<{ readonly stop: typeof clientCommands.stop | typeof serverCommands.stop }>;

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
  const processes: Processes = {
    server: new Child("the server's process", SERVER_PROCESS, serverCommands),
    client: new Child("the client's process", CLIENT_PROCESS, clientCommands),
    worker: cell.scenario === 'offloaded' ? new Child('the CPU process', SERVER_PROCESS, serverCommands) : null,
  };
  const all: readonly (Stoppable | null)[] = [processes.client, processes.server, processes.worker];
  const children = all.filter((child) => child !== null);
  const kill = () => {
    for (const child of children) child.kill();
  };
  const stopClient = () => void processes.client.call('stop', {}, END_TIMEOUT_MS).catch(() => {});
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
    return { state: 'failed', round, message: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    interrupted.removeEventListener('abort', stopClient);
    // Told to end, all of them, whatever happened before; one that has ended already answers nothing.
    await Promise.all(
      children.map(async (child) => {
        await child.call('stop', {}, END_TIMEOUT_MS).catch(() => {});
        await child.ended(END_TIMEOUT_MS);
      }),
    );
    killed.removeEventListener('abort', kill);
  }
}

async function measureIn(
  { server, client, worker }: Processes,
  cell: PlannedCell,
  { workload, leafNs }: MeasureSetup,
): Promise<Omit<MeasuredRound, 'round'>> {
  const { host, messages, budgetNs } = workload;
  const { transport } = await loadServer(cell.server);
  const serverSetup: ServerSetup = {
    server: cell.server,
    policy: cell.policy,
    host,
    port: workload.port,
    maxMessageBytes: workload.maxMessageBytes,
    ticksPerCall: workload.interpreterCostNs / TICK_NS,
    leafNs,
    loggedCalls: Math.min(MAX_LOGGED_CALLS, (messages + workload.warmupMessages) * LOGGED_CALLS_PER_MESSAGE),
  };
  const { port } = await server.call('start', serverSetup, ANSWER_TIMEOUT_MS);
  if (worker !== null) await worker.call('start', { ...serverSetup, port: 0, loggedCalls: 0 }, ANSWER_TIMEOUT_MS);

  await warmUp(client, { ...workload, transport, host, port });
  const spinning = worker ?? (cell.scenario === 'unloaded' ? null : server);
  const spin = { spinners: workload.spinners, kind: workload.spinnerKind, priority: cell.policy.spinnerPriority };
  const solo = spinning === null ? null : await spinning.call('spin', spin, ANSWER_TIMEOUT_MS);

  await server.call('begin', {}, ANSWER_TIMEOUT_MS);
  await worker?.call('begin', {}, ANSWER_TIMEOUT_MS);
  const runTimeoutMs = ANSWER_TIMEOUT_MS + (BUDGETS_TIMEOUT * budgetNs) / 1e6;
  const trips = await client.call('run', { messages, budgetNs }, runTimeoutMs);
  const { reading, calls } = await server.call('end', {}, ANSWER_TIMEOUT_MS);
  const offloaded = await worker?.call('end', {}, ANSWER_TIMEOUT_MS);

  await client.call('stop', {}, END_TIMEOUT_MS);
  const { connectionErrors } = await server.call('stop', {}, END_TIMEOUT_MS);
  if (trips.ended === 'stopped') throw new Error('the client was stopped');
  return {
    state: 'measured',
    ...rawSamples(trips, calls),
    durationNs: trips.durationNs,
    ended: trips.ended,
    reading,
    spinnerRoundsPerSecond: roundsPerSecond(offloaded?.reading ?? (solo === null ? null : reading)),
    soloRoundsPerSecond: solo?.soloRoundsPerSecond ?? null,
    connectionErrors,
  };
}

/** Warm-up is made without CPU threads: under a policy that starves the server it would take longer than the run. */
async function warmUp(client: Processes['client'], setup: ClientSetup): Promise<void> {
  const { transport, host, port, payloadBytes, delayNs, warmupMessages } = setup;
  const timeoutMs = ANSWER_TIMEOUT_MS + warmupMessages * WARMUP_MESSAGE_MS;
  await client.call('connect', { transport, host, port, payloadBytes, delayNs, warmupMessages }, timeoutMs);
}

function rawSamples(
  { startedAtNs, sentNs, rttNs }: RoundTrips,
  calls: Float64Array,
): Pick<MeasuredRound, 'sentNs' | 'rttNs' | 'lockWaitNs' | 'workNs'> {
  const { lockWaitNs, workNs } = splitRoundTrips(
    sentNs.map((ns) => startedAtNs + ns),
    rttNs,
    calls,
  );
  // Whole nanoseconds: the clock knows no more.
  const whole = (samples: ArrayLike<number>) => Array.from(samples, Math.round);
  return { sentNs: whole(sentNs), rttNs: whole(rttNs), lockWaitNs: whole(lockWaitNs), workNs: whole(workNs) };
}

function roundsPerSecond(reading: MeasuredRound['reading'] | null): number | null {
  return reading === null ? null : reading.spinners.rounds / (reading.durationNs / 1e9);
}
