/** What a policy's file must hold. Only a thread that runs somebody's own policy loads this: no policy of ours needs to be checked. */
import { z } from 'zod';
import { PolicyError } from './policy-error.ts';

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor as new () => unknown;
const generatorFunction = z.custom<unknown>((value) => value instanceof GeneratorFunction, {
  error: 'must be a generator function (*name() {…}), each yield one step',
});

const optionSchema = z.object({
  kind: z.enum(['duration', 'count']),
  default: z.number(),
  min: z.number(),
  max: z.number(),
  summary: z.string(),
});

const claimSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('forced-switch') }),
  z.object({ kind: z.literal('timed-request') }),
  z.object({ kind: z.literal('patient-request') }),
  z.object({
    kind: z.literal('fast-path'),
    acquire: z.number().int().nonnegative(),
    release: z.number().int().nonnegative(),
  }),
  z.object({ kind: z.literal('single-wake') }),
  z.object({ kind: z.literal('priority') }),
  z.object({ kind: z.literal('zero-at-rest'), word: z.string() }),
  z.object({ kind: z.literal('bounded-bypass'), times: z.number().int().min(0).max(14) }),
]);

/** What a policy's file must export by default. */
export const policySchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower case letters, digits and dashes'),
  summary: z.string(),
  exclusive: z.boolean(),
  words: z.record(z.string(), z.string()),
  options: z.record(z.string(), optionSchema),
  claims: z.array(claimSchema).optional(),
  rules: z.custom<unknown>((value) => typeof value === 'function', { error: 'must be a function' }),
});

export const rulesSchema = z.object({
  acquire: generatorFunction,
  release: generatorFunction,
  setPriority: generatorFunction.optional(),
  pollsEveryNs: z.number().positive().optional(),
  yieldPoint: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('requested'), word: z.number().int().nonnegative() }),
    z.object({ kind: z.literal('ticks'), every: z.number().int().positive() }),
    z.object({ kind: z.literal('never') }),
  ]),
});

/** @throws PolicyError if the value is not so */
export function checked<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value);
  if (result.success) return value as T;
  throw new PolicyError(`policy «${name}» is not whole:\n${z.prettifyError(result.error)}`);
}
