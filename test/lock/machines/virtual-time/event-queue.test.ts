import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../../../lock/machines/virtual-time/event-queue.ts';

it('gives events back in the order of their times, and those of one time in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 }), (times) => {
      const queue = new EventQueue();
      for (const [i, time] of times.entries()) queue.push(time, i, 2 * i);
      const given: [number, number][] = [];
      while (queue.size > 0) {
        const time = queue.nextNs;
        queue.pop();
        expect(queue.generation).toBe(2 * queue.what);
        given.push([time, queue.what]);
      }
      const sorted = times.map((time, i) => [time, i]).sort(([a = 0], [b = 0]) => a - b);
      expect(given).toEqual(sorted);
      expect(queue.nextNs).toBe(Infinity);
    }),
  );
});
