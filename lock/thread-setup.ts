/** What a thread is given so that it can take part under a global lock. Plain data: it crosses threads. */
import { GlobalLock, type LockState } from './global-lock.ts';
import { Interpreter } from './interpreter.ts';
import { loadPolicy, type PolicySpec } from './load-policy.ts';

export interface ThreadSetup {
  readonly policy: PolicySpec;
  readonly state: LockState;
  /** The thread's number, its own among all that share the state, from 1. */
  readonly thread: number;
  /** Length of a leaf of interpreter work, for {@link Interpreter}. */
  readonly leafNs: number;
}

/** Makes the calling thread's lock handle and interpreter. */
export async function enterThread(setup: ThreadSetup): Promise<{ lock: GlobalLock; interpreter: Interpreter }> {
  const policy = await loadPolicy(setup.policy);
  const lock = new GlobalLock(policy, setup.policy.options, setup.state, setup.thread);
  return { lock, interpreter: new Interpreter(lock, setup.leafNs) };
}
