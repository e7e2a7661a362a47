import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunQueue } from '../../../bench/simulate/run-queue.ts';
import { VirtualThread } from '../../../lock/machines/virtual-time/thread.ts';

it('gives the CPU to who has run least, and of those to who came first', () => {
  const times = fc.array(fc.nat(5), { minLength: 1 });
  fc.assert(
    fc.property(times, (ranNs) => {
      const queue = new RunQueue();
      const threads = ranNs.map((ns, number) => {
        const thread = new VirtualThread(number, `thread ${number}`, function* () {});
        thread.virtualRuntimeNs = ns;
        queue.add(thread);
        return thread;
      });
      // A stable sort.
      const expected = [...threads].sort((a, b) => a.virtualRuntimeNs - b.virtualRuntimeNs);
      expect(queue.first).toBe(expected[0]);
      expect(queue.length).toBe(threads.length);
      expect(threads.map(() => queue.take())).toEqual(expected);
      expect(queue.take()).toBeUndefined();
    }),
  );
});
