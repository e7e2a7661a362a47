/** Measures one cell once: a fresh server process, a fresh client process, both ended at the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { clientCommands } from '../client/protocol.ts';
import { TICK_NS } from '../lock/interpreter.ts';
import { loadServer } from '../server/echo-server.ts';
import { serverCommands } from '../server/protocol.ts';
import { Child } from './child.ts';
import type { PlannedRound } from './plan.ts';
import type { Round, Workload } from './result.ts';

const SERVER_PROCESS = new URL('../server/main.js', import.meta.url);
const CLIENT_PROCESS = new URL('../client/main.js', import.meta.url);

/** For an answer that costs nothing but starting threads on a busy machine. */
const ANSWER_TIMEOUT_MS = 30_000;
/** For the end of a process that was told to end. */
const END_TIMEOUT_MS = 5_000;
/** For the news of a process's death to arrive. */
const DEATH_NEWS_MS = 200;
/** The client ends a run by itself after at most three budgets. */
const BUDGETS_TIMEOUT = 4;

/** What every measurement of a run shares. */
export interface MeasureSetup {
  readonly workload: Workload;
  readonly leafNs: number;
}

/**
 * Measures.
 *
 * @param signal ends the measurement early, in an orderly way: the result is null
 * @param now a second signal, which ends it at once
 * @returns the round; failures are results too
 */
export async function measure(
  { round, cell }: PlannedRound,
  { workload, leafNs }: MeasureSetup,
  signal: AbortSignal,
  now: AbortSignal,
): Promise<Round | null> {
  const server = new Child("the server's process", SERVER_PROCESS, serverCommands);
  const client = new Child("the client's process", CLIENT_PROCESS, clientCommands);
  const children = [client, server];
  const kill = () => {
    for (const child of children) child.kill();
  };
  const stopClient = () => void client.call('stop', {}, END_TIMEOUT_MS).catch(() => {});
  signal.addEventListener('abort', stopClient, { once: true });
  now.addEventListener('abort', kill, { once: true });
  const { host, port, maxMessageBytes, payloadBytes, delayNs, warmupMessages, messages, budgetNs } = workload;
  try {
    const transport = (await loadServer(cell.server)).transport;
    const started = await server.call(
      'start',
      {
        server: cell.server,
        policy: cell.policy,
        host,
        port,
        maxMessageBytes,
        ticksPerCall: workload.interpreterCostNs / TICK_NS,
        leafNs,
      },
      ANSWER_TIMEOUT_MS,
    );
    // Warm-up is made without CPU threads: under a policy that starves the server it would take longer than the run.
    const warmupTimeoutMs = ANSWER_TIMEOUT_MS + warmupMessages * (delayNs / 1e6 + 10);
    const connect = { transport, host, port: started.port, payloadBytes, delayNs, warmupMessages };
    await client.call('connect', connect, warmupTimeoutMs);
    const solo =
      cell.scenario === 'loaded' ? await server.call('spin', { spinners: workload.spinners }, ANSWER_TIMEOUT_MS) : null;
    await server.call('begin', {}, ANSWER_TIMEOUT_MS);
    const runTimeoutMs = ANSWER_TIMEOUT_MS + (BUDGETS_TIMEOUT * budgetNs) / 1e6;
    const trips = await client.call('run', { messages, budgetNs }, runTimeoutMs);
    const reading = await server.call('end', {}, ANSWER_TIMEOUT_MS);
    if (signal.aborted || trips.ended === 'stopped') return null;
    await client.call('stop', {}, END_TIMEOUT_MS);
    const { connectionErrors } = await server.call('stop', {}, END_TIMEOUT_MS);
    return {
      state: 'measured',
      round,
      sentNs: [...trips.sentNs],
      rttNs: [...trips.rttNs],
      durationNs: trips.durationNs,
      ended: trips.ended,
      reading,
      soloTicksPerSecond: solo?.soloTicksPerSecond ?? null,
      connectionErrors,
    };
  } catch (error) {
    if (signal.aborted) return null;
    // When one process dies the other sees a broken connection, often first: the death is what the user must hear of.
    await delay(DEATH_NEWS_MS);
    const cause = children.find((child) => child.lost !== undefined)?.lost ?? error;
    return { state: 'failed', round, message: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    signal.removeEventListener('abort', stopClient);
    // Told to end, all of them, whatever happened before; one that has ended already answers nothing.
    await Promise.all(children.map((child) => end(child)));
    now.removeEventListener('abort', kill);
  }
}

async function end(child: Child<{ stop: (typeof clientCommands)['stop'] | (typeof serverCommands)['stop'] }>) {
  await child.call('stop', {}, END_TIMEOUT_MS).catch(() => {});
  await child.ended(END_TIMEOUT_MS);
}
