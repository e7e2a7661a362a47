/** What the bench can ask of an interpreter: the commands of `server/protocol.ts`, in what can be said in JSON. */
import { z } from 'zod';
import type { Counts } from '../../lock/counters.ts';
import { type ServerReading, serverCommands, serverSetupSchema, spinSetupSchema } from '../../server/protocol.ts';

/** What lock_counter.c counted in threads of one kind. */
const lockCountsSchema = z.strictObject({
  transitions: z.number(),
  steals: z.number(),
  waits: z.number(),
  waitNs: z.number(),
  waitBehindSpinnersNs: z.number(),
  yields: z.number(),
  /** Waits that ended by time-out, and how long they took: what shows how late a time-out comes. */
  timeouts: z.number(),
  timedOutNs: z.number(),
  waitHistogram: z.array(z.number()),
});
type LockCounts = z.infer<typeof lockCountsSchema>;

export const referenceReadingSchema = z.strictObject({
  durationNs: z.number(),
  cpuNs: z.number(),
  spinnerRounds: z.number(),
  /** Null where the lock cannot be counted. */
  server: lockCountsSchema.nullable(),
  spinners: lockCountsSchema.nullable(),
});
export type ReferenceReading = z.infer<typeof referenceReadingSchema>;

export const referenceCommands = {
  start: {
    request: serverSetupSchema.pick({
      server: true,
      host: true,
      port: true,
      maxMessageBytes: true,
      loggedCalls: true,
    }),
    answer: serverCommands.start.answer,
  },
  spin: { request: spinSetupSchema, answer: serverCommands.spin.answer },
  solo: serverCommands.solo,
  begin: serverCommands.begin,
  end: {
    request: serverCommands.end.request,
    answer: z.strictObject({ reading: referenceReadingSchema, calls: z.array(z.number()).nullable() }),
  },
  stop: serverCommands.stop,
} as const;

/** What is known of a server's process; an interpreter does not tell all of it. */
export type Reading = Pick<ServerReading, 'durationNs' | 'cpuNs'> & {
  readonly spinnerRounds: number;
  readonly server: Counts | null;
  readonly spinners: Counts | null;
  readonly waits: number[] | null;
};

/** The same as one of our own servers tells it. */
export function readingOf({ durationNs, cpuNs, spinnerRounds, server, spinners }: ReferenceReading): Reading {
  return {
    durationNs,
    cpuNs,
    spinnerRounds,
    server: server && countsOf(server, 0),
    spinners: spinners && countsOf(spinners, spinnerRounds),
    waits: server?.waitHistogram ?? null,
  };
}

function countsOf({ waitHistogram: _, timeouts: __, timedOutNs: ___, ...counts }: LockCounts, rounds: number): Counts {
  return { ...counts, rounds };
}
