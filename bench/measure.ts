/** Measures one cell once: fresh processes, told to end at the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ClientSetup, clientCommands, type RoundTrips } from '../client/protocol.ts';
import type { serverCommands } from '../server/protocol.ts';
import { loadServer } from '../server/servers.ts';
import { Child } from './child.ts';
import type { PlannedCell, PlannedRound } from './plan.ts';
import type { Reading } from './reference/reference-protocol.ts';
import { isReference, type MeasuredRound, type Round } from './result.ts';
import {
  ANSWER_TIMEOUT_MS,
  END_TIMEOUT_MS,
  type MeasureSetup,
  promptTimeoutMs,
  type Role,
  type ServerSide,
  startServerSide,
} from './server-side.ts';
import { splitRoundTrips } from './split.ts';

const CLIENT_PROCESS = new URL('../client/main.js', import.meta.url);

/** For a message of the warm-up, on a busy machine, or a large one. */
const WARMUP_MESSAGE_MS = 50;
/** For the news of a process's death to arrive. */
const DEATH_NEWS_MS = 200;
/** The client ends a run by itself after at most three budgets. */
const BUDGETS_TIMEOUT = 4;
/** More than any server makes for a message that comes in one piece. */
const LOGGED_CALLS_PER_MESSAGE = 8;
const MAX_LOGGED_CALLS = 2_000_000;

/** The processes of a cell. */
interface Processes {
  readonly server: ServerSide;
  readonly client: Child<typeof clientCommands>;
  /** Does the CPU work of the offloaded scenario: a server's process without a client. */
  readonly worker: ServerSide | null;
}

/** What every process understands. */
type Stoppable = Pick<
  Child<{ readonly stop: typeof clientCommands.stop | typeof serverCommands.stop }>,
  'call' | 'ended' | 'kill' | 'lost'
>;

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
  const children: readonly Stoppable[] = [client, server.process, ...(worker === null ? [] : [worker.process])];
  const kill = () => {
    for (const child of children) child.kill();
  };
  const stopClient = () => void client.call('stop', {}, END_TIMEOUT_MS).catch(() => {});
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
    await Promise.all(
      children.map(async (child) => {
        await child.call('stop', {}, END_TIMEOUT_MS).catch(() => {
          // One that cannot be told will not end; one that has failed is ending.
          if (child.lost === undefined) child.kill();
        });
        await child.ended(END_TIMEOUT_MS);
      }),
    );
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
  const start = (role: Role) => startServerSide(cell, setup, role);
  const server = start({ what: "the server's process", port, loggedCalls });
  try {
    return {
      server,
      client: new Child("the client's process", CLIENT_PROCESS, clientCommands),
      worker: cell.scenario === 'offloaded' ? start({ what: 'the CPU process', port: 0, loggedCalls: 0 }) : null,
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
  const { host, messages, budgetNs } = workload;
  const { transport } = await loadServer(cell.server);
  client.place(workload.clientCpus);
  const { port } = await server.start();
  await worker?.start();

  await warmUp(client, { ...workload, transport, host, port });
  const spinning = worker ?? (cell.scenario === 'unloaded' ? null : server);
  const solo = spinning === null ? null : await spinning.spin();

  await server.begin();
  await worker?.begin();
  const runTimeoutMs = promptTimeoutMs(messages) + (BUDGETS_TIMEOUT * budgetNs) / 1e6;
  const trips = await client.call('run', { messages, budgetNs }, runTimeoutMs);
  const ended = await server.end();
  const offloaded = await worker?.end();
  setup.onEnd?.(ended);
  const { reading, calls } = ended;

  await client.call('stop', {}, END_TIMEOUT_MS);
  const { connectionErrors } = await server.stop();
  if (trips.ended === 'stopped') throw new Error('the client was stopped');
  return {
    state: 'measured',
    ...rawSamples(trips, calls),
    durationNs: trips.durationNs,
    ended: trips.ended,
    reading: storedReading(reading),
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
  calls: Float64Array | null,
): Pick<MeasuredRound, 'sentNs' | 'rttNs' | 'lockWaitNs' | 'workNs'> {
  // Whole nanoseconds: the clock knows no more.
  const whole = (samples: ArrayLike<number>) => Array.from(samples, Math.round);
  const trips = { sentNs: whole(sentNs), rttNs: whole(rttNs) };
  if (calls === null) return { ...trips, lockWaitNs: null, workNs: null };
  const { lockWaitNs, workNs } = splitRoundTrips(
    sentNs.map((ns) => startedAtNs + ns),
    rttNs,
    calls,
  );
  return { ...trips, lockWaitNs: whole(lockWaitNs), workNs: whole(workNs) };
}

/** The rounds of the CPU threads stand beside it, as a rate. */
function storedReading({ spinnerRounds: _, ...reading }: Reading): MeasuredRound['reading'] {
  return reading;
}

function roundsPerSecond(reading: Reading | null): number | null {
  return reading === null ? null : reading.spinnerRounds / (reading.durationNs / 1e9);
}
