/**
 * The result of a run, as it is held in memory and written to a file. Tables and every other view are derived from it and say
 * nothing that is not in it.
 */
import { z } from 'zod';
import { policySpecSchema } from '../../lock/policy-spec.ts';
import { timelineSchema } from '../../lock/timeline-schema.ts';
import { SPINNER_KINDS, serverReadingSchema } from '../../server/protocol.ts';
import { type ReferenceSpec, referenceSpecSchema } from '../reference/interpreter.ts';
import { profileSchema } from '../simulate/profile.ts';
import { shardSchema } from '../simulate/shard.ts';
import { comparisonSchema } from './fidelity-schema.ts';

/** Raised whenever a reader of the version before would misread a file. */
export const RESULT_VERSION = 1;

/**
 * What runs beside the server. `loaded`: CPU threads under the same lock. `offloaded`: the same CPU work in another process.
 * `gui`: loaded, but the server is an editor and the messages are key strokes.
 */
export const SCENARIOS = ['unloaded', 'loaded', 'offloaded', 'gui'] as const;
export const scenarioSchema = z.enum(SCENARIOS);
export type Scenario = z.infer<typeof scenarioSchema>;

/** What every cell of a run is asked to do. */
export const workloadSchema = z.strictObject({
  messages: z.number().int().positive(),
  payloadBytes: z.number().int().nonnegative(),
  /** Pause of the client after each message. */
  delayNs: z.number().nonnegative(),
  warmupMessages: z.number().int().nonnegative(),
  /** When a cell stops, in each round. */
  budgetNs: z.number().positive(),
  /** CPU threads in the loaded and offloaded scenarios. */
  spinners: z.number().int().positive(),
  spinnerKind: z.enum(SPINNER_KINDS),
  /** CPU work under the lock before each system call of the server. */
  interpreterCostNs: z.number().nonnegative(),
  maxMessageBytes: z.number().int().positive(),
  /** How long a client may keep a server waiting; null, as in files written before it could be chosen: without end. */
  peerTimeoutNs: z.number().positive().nullable().default(null),
  host: z.string(),
  port: z.number().int(),
  /** CPUs of the server's process and the CPU threads, `0,2-3`; absent: any. */
  serverCpus: z.string().optional(),
  /** CPUs of the client's process; absent: any. */
  clientCpus: z.string().optional(),
});
export type Workload = z.infer<typeof workloadSchema>;

/** What a server's process counted. Of an interpreter's lock not everything may be known: that is null, and never 0. */
const readingSchema = serverReadingSchema.extend({
  server: serverReadingSchema.shape.server.nullable(),
  spinners: serverReadingSchema.shape.spinners.nullable(),
  waits: serverReadingSchema.shape.waits.nullable(),
});

export const measuredRoundSchema = z.strictObject({
  state: z.literal('measured'),
  round: z.number().int().positive(),
  /** When each message was sent, since the start; one entry for each message that came back. */
  sentNs: z.array(z.number()),
  /** Its round trip. */
  rttNs: z.array(z.number()),
  /** Only of two machines: how far the server's clock, laid over the client's, may be off; where that is too much there is no split. */
  clockErrorNs: z.number().nonnegative().optional(),
  /** The part of it in which the server's thread waited for the lock; null where that is not known. */
  lockWaitNs: z.array(z.number()).nullable(),
  /** The part in which it worked, under the lock. What is left of the round trip is system calls. */
  workNs: z.array(z.number()).nullable(),
  /** From the start to the end of the pause after the last message. */
  durationNs: z.number(),
  /** `budget`: stopped at the time budget; totals are projected from the messages that came back. */
  ended: z.enum(['complete', 'budget']),
  /** What the server's process counted meanwhile. */
  reading: readingSchema,
  /** Rounds of work a second of the CPU threads together; null if there were none. */
  spinnerRoundsPerSecond: z.number().nullable(),
  /** The same while the server was idle, in the same process: the mean of just before and just after. */
  soloRoundsPerSecond: z.number().nullable(),
  /** Why connections ended, where it was not by their client's good-bye. */
  connectionErrors: z.array(z.string()),
  /** What a process said, or did not, when all was measured and it was told to end; absent where it ended. */
  stopError: z.string().optional(),
  /** What every thread of the server's process did; absent where it was not recorded. */
  timeline: timelineSchema.optional(),
});
export type MeasuredRound = z.infer<typeof measuredRoundSchema>;

export const roundSchema = z.discriminatedUnion('state', [
  measuredRoundSchema,
  z.strictObject({ state: z.literal('failed'), round: z.number().int().positive(), message: z.string() }),
]);
export type Round = z.infer<typeof roundSchema>;

export const cellSchema = z.strictObject({
  server: z.string(),
  /** The label of a policy, or of an interpreter, in `policies`. */
  policy: z.string(),
  scenario: scenarioSchema,
  /** What differs from cell to cell of a simulated run, beside these three. */
  at: z.strictObject({ cpus: z.number().int().positive(), spinners: z.number().int().nonnegative() }).optional(),
  rounds: z.array(roundSchema),
});
export type Cell = z.infer<typeof cellSchema>;

export const warningSchema = z.strictObject({
  kind: z.enum([
    'few-cpus',
    'shared-cpus',
    'busy-machine',
    'stolen-time',
    'drift',
    'rounds-disagree',
    'few-messages',
    'cpu-share',
    'projected',
    'failed',
    'connection-errors',
    'not-stopped',
    'lock-not-counted',
    'clocks-apart',
  ]),
  message: z.string(),
  advice: z.string(),
});
export type Warning = z.infer<typeof warningSchema>;

export const environmentSchema = z.strictObject({
  convoy: z.string(),
  /** Revision of the working copy that ran, `+` when it had changes; null outside one. */
  revision: z.string().nullable(),
  cpu: z.string(),
  /** CPUs this process may use: Cpus_allowed_list. */
  cpus: z.string(),
  cpuCount: z.number().int(),
  memoryBytes: z.number(),
  kernel: z.string(),
  node: z.string(),
  v8: z.string(),
  /** Of the ZeroMQ servers and client; null if there is none. */
  libzmq: z.string().nullable(),
  /** CPU frequency governor of the first CPU; null where the system does not say. */
  governor: z.string().nullable(),
  /** Load average of the last minute. */
  loadBefore: z.number(),
  loadAfter: z.number(),
  /** Share of CPU time the hypervisor gave to others during the run. */
  stolenShare: z.number(),
});
export type Environment = z.infer<typeof environmentSchema>;

/** What a server runs under: a policy of ours, or the lock of an interpreter. */
export const columnSchema = z.union([policySpecSchema, referenceSpecSchema]);
export type Column = z.infer<typeof columnSchema>;

export function isReference(column: Column): column is ReferenceSpec {
  return column.from.kind === 'interpreter' || column.from.kind === 'absent';
}

export const resultSchema = z.strictObject({
  format: z.literal('convoy-result'),
  version: z.literal(RESULT_VERSION),
  createdAt: z.string(),
  /** The command line, without `node` and the program's path. */
  argv: z.array(z.string()),
  /** Of the order in which the cells ran. */
  seed: z.number().int(),
  rounds: z.number().int(),
  /** Ctrl-C, or the program's own end, before all rounds were measured. */
  interrupted: z.boolean(),
  workload: workloadSchema,
  /** Length of a leaf of interpreter work, as measured at the start; a tick is 40 ns of it. */
  leafNs: z.number(),
  policies: z.array(columnSchema),
  environment: environmentSchema,
  /** Only of two machines: the server's; `environment` is then the client's. */
  serverEnvironment: environmentSchema.optional(),
  /** Only in a simulated run: the machine that was simulated, and which part of the run this is; absent: all of it. */
  simulation: z.strictObject({ profile: profileSchema, shard: shardSchema.optional() }).optional(),
  /** Only of `convoy fidelity`. */
  fidelity: z.array(comparisonSchema).optional(),
  warnings: z.array(warningSchema),
  cells: z.array(cellSchema),
});
export type Result = z.infer<typeof resultSchema>;
