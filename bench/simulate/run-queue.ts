/** Threads that wait for a CPU, the one with the least virtual run time first; of those with the same, who came first. */
import TinyQueue from 'tinyqueue';
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';

export class RunQueue {
  readonly #waiting = new TinyQueue<VirtualThread>([], (a, b) =>
    a.virtualRuntimeNs === b.virtualRuntimeNs ? a.queuedOrder - b.queuedOrder : a.virtualRuntimeNs - b.virtualRuntimeNs,
  );
  #order = 0;

  get length(): number {
    return this.#waiting.length;
  }

  get first(): VirtualThread | undefined {
    return this.#waiting.peek();
  }

  add(thread: VirtualThread): void {
    thread.queuedOrder = this.#order++;
    this.#waiting.push(thread);
  }

  take(): VirtualThread | undefined {
    return this.#waiting.pop();
  }
}
