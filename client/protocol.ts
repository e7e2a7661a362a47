/** What the bench can ask of a client's process. */
import { z } from 'zod';

export const clientSetupSchema = z.strictObject({
  transport: z.string(),
  host: z.string(),
  port: z.number().int(),
  payloadBytes: z.number().int(),
  /** Pause after each message. */
  delayNs: z.number(),
  warmupMessages: z.number().int(),
});
export type ClientSetup = z.infer<typeof clientSetupSchema>;

/** The round trips of one run, in the order in which they were made. */
export const roundTripsSchema = z.strictObject({
  /** The run's start, on the machine's clock. */
  startedAtNs: z.number(),
  /** When each message was sent, since then. */
  sentNs: z.instanceof(Float64Array),
  rttNs: z.instanceof(Float64Array),
  /** From the run's start to the end of the pause after the last message that came back. */
  durationNs: z.number(),
  /** `budget`: the time was over before all messages were sent. `stopped`: told to. */
  ended: z.enum(['complete', 'budget', 'stopped']),
});
export type RoundTrips = z.infer<typeof roundTripsSchema>;

export const clientCommands = {
  /** Connects, and makes round trips that are not counted. */
  connect: { request: clientSetupSchema, answer: z.strictObject({}) },
  /** Makes some more that are not counted, beside what there will be, the last of them at the pace of those that are. */
  settle: { request: z.strictObject({ budgetNs: z.number() }), answer: z.strictObject({}) },
  /** Makes the round trips that are counted. */
  run: {
    request: z.strictObject({
      messages: z.number().int().positive(),
      /** When the run ends at the latest, if one message has come back by then. */
      budgetNs: z.number(),
    }),
    answer: roundTripsSchema,
  },
  /** Ends a run that is under way, the connection, and the process. */
  stop: { request: z.strictObject({}), answer: z.strictObject({}) },
} as const;
