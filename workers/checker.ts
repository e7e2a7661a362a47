/** Thread body, run by piscina: explores one policy with one model. In a thread of its own, because a policy may not come back. */
import { loadPolicy } from '../lock/load-policy.ts';
import { type Bounds, type Finding, Interleavings, parseModel, type Replayed } from '../lock/machines/interleavings.ts';
import type { PolicySpec } from '../lock/policy-spec.ts';
import { Heart } from './heart.ts';

/** What can be done with a policy. */
export type CheckJob =
  | { readonly kind: 'explore'; readonly model: string; readonly bounds: Bounds; readonly spurious: boolean }
  | { readonly kind: 'replay'; readonly text: string };

export interface CheckTask {
  readonly policy: PolicySpec;
  readonly job: CheckJob;
  /** Beats while the policy's code runs: `heart.ts`. */
  readonly heart: SharedArrayBuffer;
}

/** What came of it. A replay of what is no schedule of the policy has no result. */
export type CheckAnswer<Kind extends CheckJob['kind']> = Kind extends 'explore' ? Finding : Replayed | undefined;

export default async function check({ policy: spec, job, heart }: CheckTask): Promise<CheckAnswer<CheckJob['kind']>> {
  const policy = await loadPolicy(spec);
  const interleavings = new Interleavings({ policy, options: spec.options }, new Heart(heart));
  if (job.kind === 'replay') return interleavings.replay(job.text);
  const model = parseModel(job.model);
  if (model === undefined) throw new Error(`no model: ${job.model}`);
  return interleavings.explore(model, job.bounds, job.spurious);
}
