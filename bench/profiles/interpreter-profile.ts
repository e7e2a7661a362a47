/**
 * An interpreter in numbers: what the emulation takes from a real one, and the measurements it was taken from. `convoy calibrate
 * --against` writes such a file, `--profile` reads it. The defaults are in one that comes with Convoy, with the machine it was
 * measured on.
 *
 * A few parameters, the same for every cell, from one server. The interpreter cost is fitted: the blocking server is to hold its lock as
 * long as the interpreter's, when it had to wait for it. How many ticks of Python 2.7 go into a leaf of our work, and how many there
 * are between two calls, is counted. What comes of that, on any server, is a prediction.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { UsageError } from '../exit-codes.ts';
import { environmentSchema } from '../result/result.ts';
import defaultProfile from './interpreter.json' with { type: 'json' };

export const PROFILE_VERSION = 6;

/** What decides how a contended call ends, of one side: an interpreter, or our servers. */
const measuredSchema = z.strictObject({
  /** Work under the lock between two system calls of the blocking server, unloaded: median over messages, of the least disturbed round. */
  workPerCallNs: z.number().nonnegative(),
  /** Out of the lock in a call that does not block. */
  callNs: z.number().nonnegative(),
  /** How much later than asked a wait for the lock times out; null where the lock's waits have no time-out. */
  timeoutOvershootNs: z.number().nullable(),
});
export type Measured = z.infer<typeof measuredSchema>;

/** How an interpreter cost was found: by how long a lock is held after a wait, on one server beside CPU threads. */
const fitSchema = z.strictObject({
  /** What was fitted to: an interpreter's label. */
  to: z.string(),
  policy: z.string(),
  server: z.string(),
  /** The interpreter's: median over its rounds. */
  heldNs: z.number().nonnegative(),
  /** The policy's, by cost. */
  tried: z.array(z.strictObject({ costNs: z.number().nonnegative(), heldNs: z.number().nonnegative() })),
  costNs: z.number().nonnegative(),
});
export type Fit = z.infer<typeof fitSchema>;

const calibrationSchema = z.strictObject({
  createdAt: z.string(),
  argv: z.array(z.string()),
  environment: environmentSchema,
  interpreters: z.array(
    measuredSchema.extend({
      label: z.string(),
      implementation: z.string(),
      version: z.string(),
      build: z.string(),
      /** Of a CPU thread: a hundredth of the time between two yields that nobody asks for; null where it only yields when asked. */
      tickNs: z.number().positive().nullable(),
      /** How many go into a leaf of our CPU thread's work; null where there are none. */
      ticksPerLeaf: z.number().positive().nullable(),
      /** Of the blocking server, unloaded, by how often it yields for itself; null where nothing does. */
      ticksPerCall: z.number().nonnegative().nullable(),
    }),
  ),
  /** Our blocking server under py32 with no interpreter work at all. */
  ours: measuredSchema,
  fits: z.array(fitSchema),
});
export type Calibration = z.infer<typeof calibrationSchema>;

export const interpreterProfileSchema = z.strictObject({
  format: z.literal('convoy-interpreter-profile'),
  version: z.literal(PROFILE_VERSION),
  /** Where the parameters come from. */
  note: z.string(),
  /** What a run takes from it. */
  parameters: z.strictObject({
    /** Work under the lock before each system call, beyond what our own driver does there. */
    interpreterCostNs: z.number().min(0).max(1e9),
    /** What is different for py27, which emulates another interpreter; null: nothing is. */
    py27: z
      .strictObject({
        interpreterCostNs: z.number().min(0).max(1e9),
        /** Counted for a leaf of a CPU thread's work. */
        ticksPerLeaf: z.number().positive().max(1e6),
        /** Counted for the work before a call. */
        ticksPerCall: z.number().min(0).max(1e6),
      })
      .nullable(),
  }),
  /** What they were made of; null if they are assumed. */
  calibration: calibrationSchema.nullable(),
});
export type InterpreterProfile = z.infer<typeof interpreterProfileSchema>;

/** The profile that comes with Convoy. */
export function readDefaultProfile(): InterpreterProfile {
  return interpreterProfileSchema.parse(defaultProfile);
}

/**
 * Reads a profile.
 *
 * @param option that named the file
 * @throws UsageError if the file is none, or no profile
 */
export async function readInterpreterProfile(path: string, option = 'profile'): Promise<InterpreterProfile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${option}: ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const profile = interpreterProfileSchema.safeParse(parseOrNull(text));
  if (profile.success) return profile.data;
  throw new UsageError(`--${option}: ${path} is no profile of convoy calibrate:\n${z.prettifyError(profile.error)}`);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * The policy with the profile's parameters for what the user has not written. Work before a call whose length the user has written counts for
 * as many ticks as a CPU thread's.
 *
 * @param costIsGiven the run has an interpreter cost of the user's, for every policy
 */
export function calibrated(spec: PolicySpec, { parameters }: InterpreterProfile, costIsGiven: boolean): PolicySpec {
  const { py27 } = parameters;
  if (py27 === null || spec.from.kind !== 'built-in' || spec.from.name !== 'py27') return spec;
  const { ticksPerLeaf, ...ofCalls } = py27;
  const costIsWritten = costIsGiven || spec.interpreterCostNs !== undefined;
  return { ticksPerLeaf, ...(costIsWritten ? {} : ofCalls), ...spec };
}
