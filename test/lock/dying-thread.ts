/** Thread body of `lost-lock.test.ts`: takes the lock and gives it up until told that it is lost; one of them dies with it in its hand. */
import { parentPort, workerData } from 'node:worker_threads';
import { LockLost } from '../../lock/lost-lock.ts';
import { enterThread, type ThreadSetup } from '../../lock/thread-setup.ts';

export interface DyingTask {
  readonly setup: ThreadSetup;
  /** How often it has the lock before it dies with it; Infinity: it lives on. */
  readonly diesAfter: number;
}

const { setup, diesAfter } = workerData as DyingTask;
const { lock } = await enterThread(setup, () => 0);
try {
  for (let times = 1; ; times++) {
    lock.acquire();
    if (times > diesAfter) process.exit(7);
    lock.yieldPoint(50);
    lock.release();
  }
} catch (error) {
  parentPort?.postMessage(error instanceof LockLost ? 'told' : String(error));
}
