/**
 * The models a policy is explored with unless the user names others: every mix of I/O and CPU threads, as long as lives can be
 * without outgrowing two minutes of one core; and every order of priorities, where a policy knows them.
 */
import { layOut } from '../../memory.ts';
import { type ModelThread, parseModel } from './model-thread.ts';
import type { Subject } from './unfolding.ts';

/** By number of threads. Two threads live longest: what needs a history shows there. */
const MIXES: Readonly<Record<number, readonly string[]>> = {
  2: ['io2+io2', 'io2+cpu2', 'cpu2+cpu2'],
  3: ['io1+io1+io1', 'io1+io1+cpu1', 'io0+cpu1+cpu1', 'cpu1+cpu1+cpu1'],
  4: ['io0+io0+io0+io0', 'io0+io0+io0+cpu1'],
};

/** For policies that know priorities; their states are more, and their lives must be shorter. */
const PRIORITY_MIXES: Readonly<Record<number, readonly string[]>> = {
  2: ['io1+io1', 'io1+cpu1', 'cpu1+cpu1', 'io1+cpu2@-1', 'io1@1+cpu1', 'io1@1+cpu1@-1', 'cpu1@-1+cpu1@-1'],
  3: ['io0+io0+io0', 'io0+io0+cpu1@-1', 'io0+io0@1+io0@-1'],
  4: ['io0+io0+io0+io0'],
};

/** The models of so many threads for this policy. */
export function modelsFor({ policy, options }: Subject, threads: number): ModelThread[][] {
  const knowsPriorities = policy.rules(layOut(policy.words), options).setPriority !== undefined;
  const texts = [...((knowsPriorities ? PRIORITY_MIXES : MIXES)[threads] ?? [])];
  for (const claim of policy.claims ?? []) {
    // Who is alone must be quick.
    if (claim.kind === 'fast-path' && threads === 2) texts.push('io2');
    // One thread waits while another takes the lock once more than the claim allows.
    if (claim.kind === 'bounded-bypass' && threads === 2) texts.push(`io0+io${Math.min(9, claim.times + 1)}`);
  }
  return texts.map((text) => parseModel(text) ?? []);
}
