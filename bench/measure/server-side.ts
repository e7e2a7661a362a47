/**
 * The server side of a cell as measuring sees it: a process that answers start, spin, solo, begin, end, stop. Either our server under a policy,
 * or an interpreter with a lock of its own. The client, the rounds and what is made of the samples are the same for both.
 */
import type { Timeline } from '../../lock/timeline.ts';
import { type ServerSetup, serverCommands } from '../../server/protocol.ts';
import type { ChildError } from '../processes/caller.ts';
import { Child } from '../processes/child.ts';
import { isInterpreter, type ReferenceSpec } from '../reference/interpreter.ts';
import { interpreterChannel } from '../reference/interpreter-channel.ts';
import { type Reading, readingOf, referenceCommands } from '../reference/reference-protocol.ts';
import { isReference, type Workload } from '../result/result.ts';
import type { PlannedCell } from '../run/plan.ts';

const SERVER_PROCESS = new URL('../../server/main.js', import.meta.url);

/** For an answer that costs nothing but starting threads on a busy machine. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** For an answer that costs nothing but to be put together, of so many samples. */
export function promptTimeoutMs(samples: number): number {
  return 10_000 + samples / 100;
}
/** For the end of a process that was told to end. */
export const END_TIMEOUT_MS = 5_000;

/** What the server's side of every cell shares. */
export interface SideSetup {
  readonly workload: Pick<
    Workload,
    'host' | 'maxMessageBytes' | 'peerTimeoutNs' | 'interpreterCostNs' | 'spinners' | 'spinnerKind' | 'serverCpus'
  >;
  readonly leafNs: number;
  /** The library that counts interpreters' locks; null if there is none. */
  readonly lockCounter: string | null;
}

/** What every measurement of a run shares. */
export interface MeasureSetup extends SideSetup {
  readonly workload: Workload;
  /** Whether the threads of our servers record what they do. */
  readonly records: boolean;
  /** What starts its process; {@link startServerSide} where it is not said. */
  readonly startServerSide?: typeof startServerSide;
  /** Is given all that a server's process said at the end, of which a result keeps the most part only. */
  onEnd?(end: ServerEnd): void;
}

/** What a server's process says at the end. */
export interface ServerEnd {
  readonly reading: Reading;
  /** Times of the calls of its busiest thread: released, returned, acquired of each in turn; null where they cannot be had. */
  readonly calls: Float64Array | null;
  /** What its threads did, on the machine's clock; null where that was not recorded. */
  readonly timeline: Timeline | null;
  /** How far those times may be off, on the client's clock; null where both are on one machine and the clock is the same. */
  readonly clockErrorNs: number | null;
  /** Waits for the lock that timed out; null where they are not counted. */
  readonly timeouts: { readonly count: number; readonly tookNs: number } | null;
}

/** What a process of this cell is to be. */
export interface Role {
  /** What messages call it. */
  readonly what: string;
  readonly port: number;
  /** How many of its last calls each thread notes the times of. */
  readonly loggedCalls: number;
  readonly records: boolean;
}

/** A process that is told to end: one of this machine, or one that an agent has started. */
export interface Stoppable {
  call(command: 'stop', request: Record<string, never>, timeoutMs: number): Promise<unknown>;
  ended: Child<Record<string, never>>['ended'];
  kill(): void;
  /** How it ended, if it has. */
  readonly lost: ChildError | undefined;
}

/** Tells a process to end, whatever happened before, and waits until it has. */
export async function endProcess(process: Stoppable): Promise<void> {
  await process.call('stop', {}, END_TIMEOUT_MS).catch(() => {
    // One that cannot be told will not end; one that has failed is ending.
    if (process.lost === undefined) process.kill();
  });
  await process.ended(END_TIMEOUT_MS);
}

export interface ServerSide {
  readonly process: Stoppable;
  start(): Promise<{ port: number }>;
  spin(): Promise<Record<string, never>>;
  solo(): Promise<{ roundsPerSecond: number }>;
  begin(): Promise<unknown>;
  end(): Promise<ServerEnd>;
  stop(): Promise<{ connectionErrors: string[] }>;
}

/**
 * Starts the process.
 *
 * @throws Error if the cell's interpreter is not there, or cannot run its server
 */
export function startServerSide(
  cell: Pick<PlannedCell, 'server' | 'policy'>,
  setup: SideSetup,
  role: Role,
): ServerSide {
  const { server, policy } = cell;
  return isReference(policy) ? interpreted(server, policy, setup, role) : emulated(server, policy, setup, role);
}

function emulated(server: string, policy: ServerSetup['policy'], setup: SideSetup, role: Role): ServerSide {
  const { workload, leafNs } = setup;
  const process = new Child(role.what, SERVER_PROCESS, serverCommands);
  const { host, maxMessageBytes, peerTimeoutNs } = workload;
  const { port, loggedCalls, records } = role;
  const workPerCallNs = policy.interpreterCostNs ?? workload.interpreterCostNs;
  const limits = { maxMessageBytes, peerTimeoutNs };
  const serverSetup = { server, policy, host, port, ...limits, workPerCallNs, leafNs, loggedCalls, records };
  const spin = { spinners: workload.spinners, kind: workload.spinnerKind, priority: policy.spinnerPriority };
  return {
    process,
    start() {
      process.place(workload.serverCpus);
      return process.call('start', serverSetup, ANSWER_TIMEOUT_MS);
    },
    spin: () => process.call('spin', spin, ANSWER_TIMEOUT_MS),
    solo: () => process.call('solo', {}, ANSWER_TIMEOUT_MS),
    begin: () => process.call('begin', {}, promptTimeoutMs(0)),
    async end() {
      const { reading, calls, timeline } = await process.call('end', {}, promptTimeoutMs(loggedCalls));
      return {
        reading: { ...reading, spinnerRounds: reading.spinners.rounds },
        calls,
        timeline,
        clockErrorNs: null,
        timeouts: null,
      };
    },
    stop: () => process.call('stop', {}, END_TIMEOUT_MS),
  };
}

function interpreted(server: string, spec: ReferenceSpec, setup: SideSetup, role: Role): ServerSide {
  if (!isInterpreter(spec)) throw new Error(spec.from.kind === 'absent' ? spec.from.why : 'no interpreter');
  if (server === 'zeromq' && spec.from.pyzmq === null) throw new Error(`${spec.label} has no pyzmq`);
  const { workload, lockCounter } = setup;
  const what = `${role.what} (${spec.label})`;
  const process = new Child(what, () => interpreterChannel(spec.from.path, lockCounter), referenceCommands);
  const { host, maxMessageBytes } = workload;
  const { port, loggedCalls } = role;
  const spin = { spinners: workload.spinners, kind: workload.spinnerKind, priority: 0 };
  return {
    process,
    start() {
      process.place(workload.serverCpus);
      return process.call('start', { server, host, port, maxMessageBytes, loggedCalls }, ANSWER_TIMEOUT_MS);
    },
    spin: () => process.call('spin', spin, ANSWER_TIMEOUT_MS),
    solo: () => process.call('solo', {}, ANSWER_TIMEOUT_MS),
    begin: () => process.call('begin', {}, ANSWER_TIMEOUT_MS),
    async end() {
      const { reading, calls } = await process.call('end', {}, ANSWER_TIMEOUT_MS);
      return {
        reading: readingOf(reading),
        calls: calls === null ? null : Float64Array.from(calls),
        timeline: null,
        clockErrorNs: null,
        timeouts: reading.server && { count: reading.server.timeouts, tookNs: reading.server.timedOutNs },
      };
    },
    stop: () => process.call('stop', {}, END_TIMEOUT_MS),
  };
}
