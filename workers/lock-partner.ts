/** Thread body: the other thread of `npm run bench:lock`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LockState } from '../lock/global-lock.ts';
import { GlobalLock } from '../lock/global-lock.ts';
import { loadPolicy } from '../lock/load-policy.ts';
import { ThreadMemory } from '../lock/machines/threads.ts';
import type { PolicySpec } from '../lock/policy-spec.ts';

/** What it does. */
export type PartnerWork =
  /** Acquires and releases until told to end. */
  | { readonly kind: 'contend'; readonly spec: PolicySpec; readonly state: LockState }
  /** Sets word 0 from 1 back to 0, and wakes who waits for that; ends at 2. */
  | { readonly kind: 'hand-off'; readonly words: SharedArrayBuffer };

export type PartnerTask = PartnerWork & {
  /** One `Int32Array` word: not 0 when it is told to end. */
  readonly told: SharedArrayBuffer;
};

const task = workerData as PartnerTask;
const told = new Int32Array(task.told);

if (task.kind === 'contend') {
  const lock = new GlobalLock(await loadPolicy(task.spec), task.spec.options, task.state, 2);
  parentPort?.postMessage('ready');
  while (Atomics.load(told, 0) === 0) {
    lock.acquire();
    lock.release();
  }
} else {
  const memory = new ThreadMemory(new Int32Array(task.words));
  parentPort?.postMessage('ready');
  for (;;) {
    while (memory.load(0) === 0) memory.wait(0, 0, Infinity);
    if (memory.load(0) === 2) break;
    memory.store(0, 0);
    memory.notify(0, 1);
  }
}
