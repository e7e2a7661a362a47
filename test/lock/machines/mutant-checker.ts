/** Task body, run by piscina: explores one mutant with the models of two threads, and with those of three in which most shows. */
import { type Bounds, Interleavings, modelsFor, parseModel } from '../../../lock/machines/interleavings.ts';
import type { Policy } from '../../../lock/policy.ts';

const STATES = 1_000_000;
/** Short lives in every order, longer ones with few pre-emptions. */
const THREE: readonly { readonly model: string; readonly preemptions: number }[] = [
  { model: 'io0+io0+io0', preemptions: Infinity },
  { model: 'io1@1+io1+io1', preemptions: 2 },
  { model: 'io0+io0+cpu1', preemptions: Infinity },
];

/** @returns the property that is broken; undefined if none was found */
export default async function check(module: string): Promise<string | undefined> {
  const { default: policy } = (await import(module)) as { default: Policy };
  const options = Object.fromEntries(Object.entries(policy.options).map(([name, option]) => [name, option.default]));
  const subject = { policy, options };
  const interleavings = new Interleavings(subject);
  const two = modelsFor(subject, 2).map((model) => ({ model, preemptions: Infinity }));
  const three = THREE.map(({ model, preemptions }) => ({ model: parseModel(model) ?? [], preemptions }));
  for (const { model, preemptions } of [...two, ...three]) {
    const finding = interleavings.explore(model, { states: STATES, preemptions } satisfies Bounds);
    if (finding.kind === 'broken') return finding.property;
  }
  return undefined;
}
