import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CompletelyFairQueue } from '../../../bench/simulate/run-queue-cfs.ts';
import { VirtualThread } from '../../../lock/machines/virtual-time/thread.ts';

const COSTS = { kind: 'cfs', wakeupGranularityNs: 10, sleeperCreditNs: 30 } as const;
const threadOf = (number: number, virtualRuntimeNs: number) =>
  Object.assign(new VirtualThread(number, `thread ${number}`, function* () {}), { virtualRuntimeNs });

it('gives the CPU to who has run least, and of those to who came first', () => {
  const times = fc.array(fc.nat(5), { minLength: 1 });
  fc.assert(
    fc.property(times, (ranNs) => {
      const queue = new CompletelyFairQueue(COSTS);
      const threads = ranNs.map((ns, number) => threadOf(number, ns));
      for (const thread of threads) queue.add(thread);
      // A stable sort.
      const expected = [...threads].sort((a, b) => a.virtualRuntimeNs - b.virtualRuntimeNs);
      expect(queue.length).toBe(threads.length);
      expect(threads.map(() => queue.take())).toEqual(expected);
      expect(queue.take()).toBeUndefined();
    }),
  );
});

it.each([
  ['is displaced by one that has had much less', 111, true],
  ['is not by one that has had little less', 110, false],
])('who runs %s', (_, ranNs, displaces) => {
  const queue = new CompletelyFairQueue(COSTS);
  const [current, woken] = [threadOf(0, 0), threadOf(1, 100)];
  expect(queue.displaces(woken, current, ranNs)).toBe(displaces);
});

it('who slept for long has missed no more than the credit', () => {
  const queue = new CompletelyFairQueue(COSTS);
  queue.count(threadOf(0, 0), 1_000);
  const sleeper = threadOf(1, 0);
  queue.place(sleeper, queue);
  expect(sleeper.virtualRuntimeNs).toBe(1_000 - 30);
});

it('who comes from another CPU is as far from its clock as it was from that one', () => {
  const [from, to] = [new CompletelyFairQueue(COSTS), new CompletelyFairQueue(COSTS)];
  from.count(threadOf(0, 0), 500);
  to.count(threadOf(1, 0), 2_000);
  const mover = threadOf(2, 490);
  from.add(mover);
  expect(from.takeAway(() => false)).toBeUndefined();
  expect(from.takeAway(() => true)).toBe(mover);
  to.place(mover, from);
  expect(mover.virtualRuntimeNs).toBe(2_000 - 10);
});
