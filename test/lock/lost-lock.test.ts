/**
 * A thread that dies with the lock in its hand. The others are about to wait, asleep, or about to take it, at a moment that differs each
 * time: every one of them must be told.
 */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { TICK_NS } from '../../lock/interpreter.ts';
import { loadPolicy } from '../../lock/load-policy.ts';
import { LockLost, loseLock } from '../../lock/lost-lock.ts';
import py32 from '../../lock/policies/py32.ts';
import { definePolicy } from '../../lock/policy.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import type { DyingTask } from './dying-thread.ts';

const DYING_THREAD = resolve(import.meta.dirname, '../../dist/test/lock/dying-thread.js');

/** Four threads under a policy, of which the first dies after so many turns. Returns what the others then say. */
async function outlive(policy: string, diesAfter: number): Promise<unknown[]> {
  const spec = await readPolicySpec(policy);
  const state = createLockState(await loadPolicy(spec));
  const workers = Array.from({ length: 4 }, (_, i) => {
    const setup: DyingTask['setup'] = { policy: spec, state, thread: i + 1, leafNs: 100, tickNs: TICK_NS, ring: null };
    return new Worker(DYING_THREAD, {
      workerData: { setup, diesAfter: i === 0 ? diesAfter : Infinity } satisfies DyingTask,
    });
  });
  const [first, ...others] = workers as [Worker, ...Worker[]];
  const told = others.map((worker) => once(worker, 'message').then(([said]) => said as unknown));
  const ended = others.map((worker) => once(worker, 'exit'));
  expect(await once(first, 'exit')).toEqual([7]);
  const endWaking = loseLock(state);
  const said = await Promise.all(told);
  await Promise.all(ended);
  endWaking();
  return said;
}

describe('when a thread has died with the lock, all others are told and none hangs', () => {
  it.each(['py27', 'py32', 'priority'])('under %s, wherever they were', async (policy) => {
    for (const diesAfter of [0, 1, 7, 100, 1_000]) {
      expect(await outlive(policy, diesAfter)).toEqual(['told', 'told', 'told']);
    }
  });
});

describe('a lost lock', () => {
  it('lets nobody sleep who comes later', () => {
    const state = createLockState(py32);
    const [a, b] = [1, 2].map((me) => new GlobalLock(py32, { interval: 5e6 }, state, me)) as [GlobalLock, GlobalLock];
    a.acquire();
    loseLock(state)();
    expect(() => b.acquire()).toThrow(LockLost);
  });

  it('is what a policy leaves that throws', () => {
    const throwing = definePolicy({
      name: 'throwing',
      summary: '',
      exclusive: true,
      words: {},
      options: {},
      rules: () => ({
        *acquire() {},
        *release() {
          throw new Error('oh no');
        },
        yieldPoint: { kind: 'never' },
      }),
    });
    const lock = new GlobalLock(throwing, {}, createLockState(throwing), 1);
    lock.acquire();
    expect(() => lock.release()).toThrow(LockLost);
    expect(() => lock.release()).toThrow('the policy throws: oh no');
    // Nobody knows what a second attempt would do.
    lock.releaseAfter(new LockLost('told'));
    expect(() => lock.releaseAfter(new Error('another'))).toThrow(LockLost);
  });
});
