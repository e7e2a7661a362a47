/**
 * From the spec of a policy to the policy. Every thread loads it for itself, since functions do not cross threads; so nothing is loaded
 * here with it that a thread does not need.
 */
import { POLICIES } from './policies/index.ts';
import type { Policy } from './policy.ts';
import { PolicyError } from './policy-error.ts';
import type { PolicySpec } from './policy-spec.ts';

/**
 * Loads the policy of a spec, in the thread that will run it.
 *
 * @throws PolicyError if its file has changed and is no policy any more
 */
export function loadPolicy(spec: PolicySpec): Promise<Policy> {
  return importPolicy(spec.from, spec.label);
}

/** @param name what messages call it */
export async function importPolicy(from: PolicySpec['from'], name: string): Promise<Policy> {
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
  const { checked, policySchema } = await import('./policy-schema.ts');
  return checked(policySchema, exported.default, name) as Policy;
}
