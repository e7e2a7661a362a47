/** The policies that `--policy` names. */
import { POLICIES } from '../../lock/policies/index.ts';
import type { PolicySpec, PolicyUse } from '../../lock/policy-spec.ts';
import { UsageError } from '../exit-codes.ts';
import { readPolicy } from '../processes/read-policy.ts';
import { split } from './values.ts';

export async function readPolicies(texts: readonly string[], use: PolicyUse): Promise<PolicySpec[]> {
  const wanted = split(texts);
  if (wanted.length === 0) throw new UsageError(`--policy needs a name: ${Object.keys(POLICIES).join(', ')}`);
  const specs = new Map<string, PolicySpec>();
  for (const text of wanted) {
    const spec = await readPolicy(text, use);
    const same = specs.get(spec.label);
    if (same !== undefined && JSON.stringify(same.from) !== JSON.stringify(spec.from)) {
      throw new UsageError(`two policies are called «${spec.label}»; give one another name in its file`);
    }
    specs.set(spec.label, spec);
  }
  return [...specs.values()];
}
