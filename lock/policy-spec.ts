/**
 * From what the user writes to the spec of a policy: `py32`, `py32(interval=1ms)`, `./mine.js`, `./mine.js(option=value)`.
 *
 * Reading and loading are apart, because the text is read once, where it was given, and each thread loads the policy for itself
 * (`load-policy.ts`): functions do not cross threads, a {@link PolicySpec} does.
 */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { formatDuration, parseDuration } from './duration.ts';
import { importPolicy } from './load-policy.ts';
import { layOut } from './memory.ts';
import { POLICIES } from './policies/index.ts';
import type { Policy, PolicyOption, Rules } from './policy.ts';
import { PolicyError } from './policy-error.ts';
import { checked, rulesSchema } from './policy-schema.ts';

const MAX_INTERPRETER_COST_NS = 1e9;
const MAX_TICK_NS = 1e6;

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
  /** What CPU threads set their priority to (the server's threads have 0), where the policy knows priorities. */
  spinnerPriority: z.number().int(),
  /** `nonblocking`: calls that cannot block are made with the lock held. */
  keepLockOn: z.enum(['nothing', 'nonblocking']),
  /** CPU work under the lock before each call; absent: that of the run. */
  interpreterCostNs: z.number().min(0).max(MAX_INTERPRETER_COST_NS).optional(),
  /** How long a tick of a CPU thread takes, where the policy counts them; absent: as `ticksPerLeaf` says. */
  tickNs: z.number().positive().max(MAX_TICK_NS).optional(),
  /** How many ticks a leaf of a CPU thread's work counts for, however long it takes; absent: as many as `TICK_NS` go into it. */
  ticksPerLeaf: z.number().positive().optional(),
  /** How many ticks the work before a call counts for, however long it takes; absent: as many as a CPU thread's of that length. */
  ticksPerCall: z.number().nonnegative().optional(),
});
export type PolicySpec = z.infer<typeof policySpecSchema>;

/** How a policy is used: options that every policy has, `priority(spinner-priority=0)`, `py32(keep-lock-on=nonblocking)`. */
export type PolicyUse = Pick<PolicySpec, 'spinnerPriority' | 'keepLockOn' | 'interpreterCostNs' | 'tickNs'>;

/** As in the talk: the CPU thread lowers its priority; every call gives up the lock. */
export const TALK_USE: PolicyUse = { spinnerPriority: -1, keepLockOn: 'nothing' };
export const MIN_PRIORITY = -1;
export const MAX_PRIORITY = 1;

/**
 * Reads what the user wrote, loads the policy once and checks all of it, so that nothing is found wrong later.
 *
 * @param text a name or the path of a module (it has a slash or ends in .js or .mjs), with or without `(option=value,…)`
 * @param use how it is used unless the text says otherwise
 * @throws PolicyError which says what is wrong and what there is
 */
export async function readPolicySpec(text: string, use: PolicyUse = TALK_USE): Promise<PolicySpec> {
  const match = /^([^()]+?)(?:\((.*)\))?$/.exec(text.trim());
  if (match === null) throw new PolicyError(`policy «${text}»: write NAME or NAME(option=value,…)`);
  const name = match[1] as string;
  const from = await locate(name);
  const policy = await importPolicy(from, name);
  const written = readWritten(policy.name, match[2] ?? '');
  const spec = { from, ...readUse(policy, written, use), options: readOptions(policy, written) };
  const { yieldPoint } = checkedRules(policy, spec.options, name);
  if (spec.tickNs !== undefined && yieldPoint.kind !== 'ticks')
    throw new PolicyError(`policy «${policy.name}» counts no ticks: leave tick out`);
  return { ...spec, label: labelOf(policy, spec) };
}

/** Whether what the user wrote is a path, of a file of their own. */
export function isPolicyFile(text: string): boolean {
  const name = text.trim().replace(/\(.*\)$/s, '');
  return !(name in POLICIES) && /[/\\]|\.m?js$/.test(name);
}

async function locate(name: string): Promise<PolicySpec['from']> {
  if (name in POLICIES) return { kind: 'built-in', name };
  if (!isPolicyFile(name)) {
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

/** Makes the rules once, on words laid out for nothing, to see that they are whole. */
function checkedRules(policy: Policy, options: Readonly<Record<string, number>>, name: string): Rules {
  let rules: unknown;
  try {
    rules = policy.rules(layOut(policy.words), options);
  } catch (error) {
    throw new PolicyError(`policy «${name}»: rules() throws: ${error instanceof Error ? error.message : error}`);
  }
  return checked<unknown>(rulesSchema, rules, name) as Rules;
}

/** `a=1,b=2` → name → text. */
function readWritten(policy: string, text: string): Map<string, string> {
  const written = new Map<string, string>();
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const [name = '', value = '', ...rest] = part.split('=').map((piece) => piece.trim());
    if (value === '' || rest.length > 0) throw new PolicyError(`policy «${policy}»: write option=value, not «${part}»`);
    written.set(name, value);
  }
  return written;
}

/** Takes out of `written` what every policy has. */
function readUse(policy: Policy, written: Map<string, string>, use: PolicyUse): PolicyUse {
  const priority = written.get('spinner-priority') ?? String(use.spinnerPriority);
  const keep = written.get('keep-lock-on') ?? use.keepLockOn;
  written.delete('spinner-priority');
  written.delete('keep-lock-on');
  const interpreterCostNs = takeDuration(policy, written, 'interpreter-cost', 0, MAX_INTERPRETER_COST_NS);
  const tickNs = takeDuration(policy, written, 'tick', 1, MAX_TICK_NS);
  const spinnerPriority = /^-?\d+$/.test(priority) ? Number(priority) : Number.NaN;
  if (!(spinnerPriority >= MIN_PRIORITY && spinnerPriority <= MAX_PRIORITY)) {
    throw new PolicyError(
      `policy «${policy.name}»: spinner-priority is ${MIN_PRIORITY} to ${MAX_PRIORITY}, not «${priority}»`,
    );
  }
  const keepLockOn = policySpecSchema.shape.keepLockOn.safeParse(keep);
  if (!keepLockOn.success)
    throw new PolicyError(`policy «${policy.name}»: keep-lock-on is nothing or nonblocking, not «${keep}»`);
  return {
    ...use,
    spinnerPriority,
    keepLockOn: keepLockOn.data,
    ...(interpreterCostNs === undefined ? {} : { interpreterCostNs }),
    ...(tickNs === undefined ? {} : { tickNs }),
  };
}

/** Takes a duration out of `written`; undefined if it is not there, or an option of the policy's own. */
function takeDuration(
  policy: Policy,
  written: Map<string, string>,
  name: string,
  leastNs: number,
  mostNs: number,
): number | undefined {
  const text = written.get(name);
  if (text === undefined || name in policy.options) return undefined;
  written.delete(name);
  const ns = parseDuration(text);
  if (ns !== undefined && ns >= leastNs && ns <= mostNs) return ns;
  throw new PolicyError(
    `policy «${policy.name}»: ${name} is a duration with its unit from ${formatDuration(leastNs)} to ${formatDuration(mostNs)}, not «${text}»`,
  );
}

function readOptions(policy: Policy, written: ReadonlyMap<string, string>): Record<string, number> {
  const values = Object.fromEntries(Object.entries(policy.options).map(([name, option]) => [name, option.default]));
  for (const [name, value] of written) {
    const option = policy.options[name];
    if (option === undefined) {
      const known = Object.entries(policy.options).map(([known, { summary }]) => `${known} (${summary})`);
      const common = 'spinner-priority, keep-lock-on, interpreter-cost, tick';
      throw new PolicyError(
        `policy «${policy.name}» has no option «${name}»; it has ${[...known, 'and, as every policy,', common].join(' ')}`,
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

/** Says what differs from the default, and nothing else. */
function labelOf(policy: Policy, { options, ...use }: PolicyUse & Pick<PolicySpec, 'options'>): string {
  const own = Object.entries(policy.options)
    .filter(([name, option]) => options[name] !== option.default)
    .map(([name, option]) => {
      const value = options[name] as number;
      return `${name}=${option.kind === 'duration' ? formatDuration(value) : value}`;
    });
  if (use.spinnerPriority !== TALK_USE.spinnerPriority) own.push(`spinner-priority=${use.spinnerPriority}`);
  if (use.keepLockOn !== TALK_USE.keepLockOn) own.push(`keep-lock-on=${use.keepLockOn}`);
  if (use.interpreterCostNs !== undefined) own.push(`interpreter-cost=${formatDuration(use.interpreterCostNs)}`);
  if (use.tickNs !== undefined) own.push(`tick=${formatDuration(use.tickNs)}`);
  return own.length === 0 ? policy.name : `${policy.name}(${own.join(',')})`;
}
