/** The file of `convoy client --json`: what one client saw of a server, every sample of it. */
import { z } from 'zod';
import { environmentSchema } from './result.ts';

export const ROUND_TRIPS_VERSION = 1;

export const roundTripsFileSchema = z.strictObject({
  format: z.literal('convoy-round-trips'),
  version: z.literal(ROUND_TRIPS_VERSION),
  createdAt: z.string(),
  /** The command line, without `node` and the program's path. */
  argv: z.array(z.string()),
  /** The server, as it was named. */
  server: z.strictObject({ host: z.string(), port: z.number().int() }),
  /** Wire format. */
  transport: z.string(),
  messages: z.number().int().positive(),
  payloadBytes: z.number().int().nonnegative(),
  /** Pause after each message. */
  delayNs: z.number().nonnegative(),
  warmupMessages: z.number().int().nonnegative(),
  budgetNs: z.number().positive(),
  clientCpus: z.string().optional(),
  /** Of the client's machine. */
  environment: environmentSchema,
  /** When each message was sent, since the start; one entry for each message that came back. */
  sentNs: z.array(z.number()),
  rttNs: z.array(z.number()),
  /** From the start to the end of the pause after the last message. */
  durationNs: z.number(),
  /** `budget`: the time was over first. `stopped`: Ctrl-C. */
  ended: z.enum(['complete', 'budget', 'stopped']),
});
export type RoundTripsFile = z.infer<typeof roundTripsFileSchema>;
