/** What a thread is given so that it can take part under a global lock. Plain data: it crosses threads. */
import { GlobalLock, type LockState } from './global-lock.ts';
import { Interpreter } from './interpreter.ts';
import { loadPolicy } from './load-policy.ts';
import type { PolicySpec } from './policy-spec.ts';
import { Recorder } from './recorder.ts';

export interface ThreadSetup {
  readonly policy: PolicySpec;
  readonly state: LockState;
  /** The thread's number, its own among all that share the state, from 1. */
  readonly thread: number;
  /** Length of a leaf of interpreter work, for {@link Interpreter}. */
  readonly leafNs: number;
  /** How long a tick of its work takes. */
  readonly tickNs: number;
  /** Where it records what it does: `createRing`; null if nowhere. */
  readonly ring: SharedArrayBuffer | null;
}

/**
 * Makes the calling thread's lock handle and interpreter.
 *
 * @param clockOriginNs asked, if the thread records, what to add to its `performance.now()` in nanoseconds for the machine's clock
 */
export async function enterThread(
  { policy: spec, state, thread, leafNs, tickNs, ring }: ThreadSetup,
  clockOriginNs: () => number,
): Promise<{ lock: GlobalLock; interpreter: Interpreter }> {
  const recorder = ring === null ? null : new Recorder(ring, () => performance.now() * 1e6, clockOriginNs());
  const lock = new GlobalLock(await loadPolicy(spec), spec.options, state, thread, recorder);
  return { lock, interpreter: new Interpreter(lock, leafNs, tickNs) };
}
