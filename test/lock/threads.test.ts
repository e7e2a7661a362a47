/**
 * The compiled lock on real threads: what it protects is a counter that is read and written in two plain steps. And the same without a
 * lock, which must lose counts, or else the test would pass with a lock that does nothing.
 */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createLockState } from '../../lock/global-lock.ts';
import { TICK_NS } from '../../lock/interpreter.ts';
import { loadPolicy } from '../../lock/load-policy.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import type { CountingTask } from './counting-thread.ts';

const COUNTING_THREAD = resolve(import.meta.dirname, '../../dist/test/lock/counting-thread.js');
const THREADS = 3;
const TIMES = 4_000;

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** Several threads count under a policy. Returns how many counts are missing at the end. */
async function lostCounts(policy: string): Promise<number> {
  const spec = await readPolicySpec(policy);
  const state = createLockState(await loadPolicy(spec));
  const shared = new SharedArrayBuffer(8);
  await Promise.all(
    Array.from({ length: THREADS }, (_, i) => {
      const workerData: CountingTask = {
        setup: { policy: spec, state, thread: i + 1, leafNs: 100, tickNs: TICK_NS, ring: null },
        threads: THREADS,
        times: TIMES,
        shared,
      };
      const worker = new Worker(COUNTING_THREAD, { workerData });
      workers.push(worker);
      return new Promise<void>((done, fail) => worker.once('error', fail).once('exit', () => done()));
    }),
  );
  return THREADS * TIMES - (new Int32Array(shared)[0] as number);
}

/** Whatever the number of CPUs and the luck of the scheduler: without a lock counts are lost sooner or later. */
const ATTEMPTS = 50;

describe('on real threads', () => {
  it.each(Object.keys(POLICIES).filter((name) => name !== 'free-threaded'))(
    'no count is lost under %s',
    async (name) => {
      expect(await lostCounts(name)).toBe(0);
    },
  );

  it('counts are lost without a lock', async () => {
    let lost = 0;
    for (let attempt = 0; attempt < ATTEMPTS && lost === 0; attempt++) lost = await lostCounts('free-threaded');
    expect(lost).toBeGreaterThan(0);
  });
});
