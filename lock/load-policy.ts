/**
 * From what the user writes to a policy: `py32`, `py32(interval=1ms)`, `./mine.js`, `./mine.js(option=value)`.
 *
 * Reading and loading are apart, because the text is read once, where it was given, and each thread loads the policy for itself:
 * functions do not cross threads, a {@link PolicySpec} does.
 */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { formatDuration, parseDuration } from './duration.ts';
import { layOut } from './memory.ts';
import { POLICIES } from './policies/index.ts';
import type { Policy, PolicyOption } from './policy.ts';

/** A policy and its options as plain data. */
export const policySpecSchema = z.strictObject({
  /** How tables and files call it: `py32`, `py32(interval=1ms)`. Options at their default are left out. */
  label: z.string(),
  from: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('built-in'), name: z.string() }),
    z.strictObject({ kind: z.literal('file'), url: z.string() }),
  ]),
  /** Every option of the policy; durations in nanoseconds. */
  options: z.record(z.string(), z.number()),
});
export type PolicySpec = z.infer<typeof policySpecSchema>;

/** What is wrong with a policy that was asked for, for the user to read. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

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

/** What a policy's file must export by default. */
const policySchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower case letters, digits and dashes'),
  summary: z.string(),
  exclusive: z.boolean(),
  words: z.record(z.string(), z.string()),
  options: z.record(z.string(), optionSchema),
  rules: z.custom<unknown>((value) => typeof value === 'function', { error: 'must be a function' }),
});

const rulesSchema = z.object({
  acquire: generatorFunction,
  release: generatorFunction,
  setPriority: generatorFunction.optional(),
  yieldPoint: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('requested'), word: z.number().int().nonnegative() }),
    z.object({ kind: z.literal('ticks'), every: z.number().int().positive() }),
    z.object({ kind: z.literal('never') }),
  ]),
});

/**
 * Reads what the user wrote, loads the policy once and checks all of it, so that nothing is found wrong later.
 *
 * @param text a name or the path of a module (it has a slash or ends in .js or .mjs), with or without `(option=value,…)`
 * @throws PolicyError which says what is wrong and what there is
 */
export async function readPolicySpec(text: string): Promise<PolicySpec> {
  const match = /^([^()]+?)(?:\((.*)\))?$/.exec(text.trim());
  if (match === null) throw new PolicyError(`policy «${text}»: write NAME or NAME(option=value,…)`);
  const name = match[1] as string;
  const from = await locate(name);
  const policy = await importPolicy(from, name);
  const options = readOptions(policy, match[2] ?? '');
  checkRules(policy, options, name);
  return { label: labelOf(policy, options), from, options };
}

/**
 * Loads the policy of a spec, in the thread that will run it.
 *
 * @throws PolicyError if its file has changed and is no policy any more
 */
export function loadPolicy(spec: PolicySpec): Promise<Policy> {
  return importPolicy(spec.from, spec.label);
}

async function locate(name: string): Promise<PolicySpec['from']> {
  if (name in POLICIES) return { kind: 'built-in', name };
  if (!/[/\\]|\.m?js$/.test(name)) {
    const known = Object.keys(POLICIES).join(', ');
    throw new PolicyError(`there is no policy «${name}»; there are ${known}, or the path of your own: ./mine.js`);
  }
  const path = resolve(name);
  try {
    await access(path);
  } catch {
    throw new PolicyError(`policy «${name}»: there is no file ${path}`);
  }
  return { kind: 'file', url: pathToFileURL(path).href };
}

async function importPolicy(from: PolicySpec['from'], name: string): Promise<Policy> {
  if (from.kind === 'built-in') {
    const load = POLICIES[from.name];
    if (load === undefined) throw new PolicyError(`there is no policy «${from.name}»`);
    return (await load()).default;
  }
  let exported: { default?: unknown };
  try {
    exported = (await import(from.url)) as { default?: unknown };
  } catch (error) {
    throw new PolicyError(`policy «${name}» does not load: ${error instanceof Error ? error.message : error}`);
  }
  if (exported.default === undefined) {
    throw new PolicyError(`policy «${name}»: the file must export its policy by default: export default {name, …}`);
  }
  return checked(policySchema, exported.default, name) as Policy;
}

/** Makes the rules once, on words laid out for nothing, to see that they are whole. */
function checkRules(policy: Policy, options: Readonly<Record<string, number>>, name: string): void {
  let rules: unknown;
  try {
    rules = policy.rules(layOut(policy.words), options);
  } catch (error) {
    throw new PolicyError(`policy «${name}»: rules() throws: ${error instanceof Error ? error.message : error}`);
  }
  checked(rulesSchema, rules, name);
}

function checked<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value);
  if (result.success) return value as T;
  throw new PolicyError(`policy «${name}» is not whole:\n${z.prettifyError(result.error)}`);
}

function readOptions(policy: Policy, text: string): Record<string, number> {
  const values = Object.fromEntries(Object.entries(policy.options).map(([name, option]) => [name, option.default]));
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const [name = '', value = ''] = part.split('=').map((piece) => piece.trim());
    const option = policy.options[name];
    if (option === undefined) {
      const known = Object.entries(policy.options).map(([known, { summary }]) => `${known} (${summary})`);
      throw new PolicyError(
        `policy «${policy.name}» has no option «${name}»; ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}`,
      );
    }
    values[name] = readOption(policy.name, name, option, value);
  }
  return values;
}

function readOption(policy: string, name: string, option: PolicyOption, text: string): number {
  const write = option.kind === 'duration' ? formatDuration : String;
  const value = option.kind === 'duration' ? parseDuration(text) : /^\d+$/.test(text) ? Number(text) : undefined;
  if (value === undefined || value < option.min || value > option.max) {
    const form = option.kind === 'duration' ? 'a duration with its unit' : 'a whole number';
    throw new PolicyError(
      `policy «${policy}»: ${name} is ${form} from ${write(option.min)} to ${write(option.max)}, not «${text}»`,
    );
  }
  return value;
}

function labelOf(policy: Policy, options: Readonly<Record<string, number>>): string {
  const changed = Object.entries(policy.options)
    .filter(([name, option]) => options[name] !== option.default)
    .map(([name, option]) => {
      const value = options[name] as number;
      return `${name}=${option.kind === 'duration' ? formatDuration(value) : value}`;
    });
  return changed.length === 0 ? policy.name : `${policy.name}(${changed.join(',')})`;
}
