/** Thread body of `threads.test.ts`: counts in a word that nothing but the lock protects. */
import { workerData } from 'node:worker_threads';
import { enterThread, type ThreadSetup } from '../../lock/thread-setup.ts';

export interface CountingTask {
  readonly setup: ThreadSetup;
  /** How many threads count; all of them begin together. */
  readonly threads: number;
  readonly times: number;
  /** Two ints: the count, and how many threads have arrived. */
  readonly shared: SharedArrayBuffer;
}

const COUNT = 0;
const ARRIVED = 1;

const { setup, threads, times, shared } = workerData as CountingTask;
const words = new Int32Array(shared);
const { lock } = await enterThread(setup, () => 0);

Atomics.add(words, ARRIVED, 1);
while (Atomics.load(words, ARRIVED) < threads);

lock.acquire();
if (setup.thread === 1) lock.setPriority(-1);
for (let i = 0; i < times; i++) {
  const count = words[COUNT] as number;
  // Time for another thread to come between, if it can.
  for (let spin = 0; spin < 20; spin++);
  words[COUNT] = count + 1;
  // Every way in which a holder gives the lock up.
  if (i % 3 === 0) lock.around(() => {});
  else lock.yieldPoint(50);
}
lock.release();
