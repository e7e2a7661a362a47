/** What the bench can ask of a server's process. */
import { z } from 'zod';
import { COUNTERS } from '../lock/counters.ts';
import { policySpecSchema } from '../lock/policy-spec.ts';
import { timelineSchema } from '../lock/timeline-schema.ts';

const countsSchema = z.record(z.enum(COUNTERS), z.number());

/** What is fixed for a server's whole life. */
export const serverSetupSchema = z.strictObject({
  server: z.string(),
  policy: policySpecSchema,
  host: z.string(),
  /** 0: any free one. */
  port: z.number().int(),
  maxMessageBytes: z.number().int(),
  /** How long a client may keep the server waiting (`peer.ts`); null: without end. */
  peerTimeoutNs: z.number().positive().nullable(),
  /** CPU work under the lock before each call. */
  workPerCallNs: z.number(),
  leafNs: z.number(),
  /** How many of its last calls each thread notes the times of. */
  loggedCalls: z.number().int().nonnegative(),
  /** Whether its threads and CPU threads record what they do. */
  records: z.boolean(),
});
export type ServerSetup = z.infer<typeof serverSetupSchema>;

/** The work of CPU threads: `workers/spinner.ts` says what each does. */
export const SPINNER_KINDS = ['fib', 'native', 'releasing'] as const;

/** CPU threads to start. */
export const spinSetupSchema = z.strictObject({
  spinners: z.number().int().positive(),
  kind: z.enum(SPINNER_KINDS),
  /** Each sets its own to, as the talk's `sys.setpriority(-1)`. */
  priority: z.number().int(),
});
export type SpinSetup = z.infer<typeof spinSetupSchema>;

/** What happened in a server's process between `begin` and `end`. */
export const serverReadingSchema = z.strictObject({
  durationNs: z.number(),
  /** CPU time of the whole process, user and system. */
  cpuNs: z.number(),
  /** Counters of the server's own threads, added up. */
  server: countsSchema,
  /** Counters of the spinners, added up. */
  spinners: countsSchema,
  /** Waits of the server's threads by length: entry i counts those of less than 2^i µs that no entry before counts. */
  waits: z.array(z.number()),
});
export type ServerReading = z.infer<typeof serverReadingSchema>;

export const serverCommands = {
  /** Listens, and has every thread running that serves the first client. */
  start: { request: serverSetupSchema, answer: z.strictObject({ port: z.number().int() }) },
  /** Starts CPU threads and lets them warm up. */
  spin: { request: spinSetupSchema, answer: z.strictObject({}) },
  /** Measures what the CPU threads do while the server has nothing to do. */
  solo: { request: z.strictObject({}), answer: z.strictObject({ roundsPerSecond: z.number() }) },
  /** Marks the start of what is measured. */
  begin: { request: z.strictObject({}), answer: z.strictObject({}) },
  /** Marks its end. */
  end: {
    request: z.strictObject({}),
    answer: z.strictObject({
      reading: serverReadingSchema,
      calls: z.instanceof(Float64Array),
      /** Since `begin`, on the machine's clock; null if nothing is recorded. */
      timeline: timelineSchema.nullable(),
    }),
  },
  /**
   * What the threads have done until now, for whoever looks on. All times are on the machine's clock, CLOCK_MONOTONIC in nanoseconds:
   * `process.hrtime.bigint()`.
   */
  timeline: { request: z.strictObject({ sinceNs: z.number() }), answer: timelineSchema },
  /** Ends all threads and connections. The process then exits by itself. */
  stop: {
    request: z.strictObject({}),
    answer: z.strictObject({
      /** Why connections ended, where it was not by their client's good-bye; the first few. */
      connectionErrors: z.array(z.string()),
    }),
  },
} as const;
