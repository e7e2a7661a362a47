import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../../../lock/machines/virtual-time/event-queue.ts';

it('gives events back in the order of their times, and those of one time in the order in which they came', () => {
  // A number: an event so long after the one taken out last. null: the next is taken out.
  const doings = fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { maxLength: 300 });
  fc.assert(
    fc.property(doings, (todo) => {
      const queue = new EventQueue();
      const expected: { atNs: number; what: number }[] = [];
      let nowNs = 0;
      let made = 0;
      const take = () => {
        const [first] = expected.sort((a, b) => a.atNs - b.atNs || a.what - b.what);
        expect(queue.size).toBe(expected.length);
        expect(queue.nextNs).toBe(first?.atNs ?? Infinity);
        if (first === undefined) return;
        nowNs = queue.nextNs;
        queue.pop();
        expect(queue.what).toBe(first.what);
        expect(queue.generation).toBe(2 * first.what);
        expected.shift();
      };
      for (const inNs of todo) {
        if (inNs === null) take();
        else {
          const atNs = nowNs + inNs;
          expected.push({ atNs, what: made });
          queue.push(atNs, made, 2 * made++);
        }
      }
      while (expected.length > 0) take();
      expect(queue.size).toBe(0);
      expect(queue.nextNs).toBe(Infinity);
    }),
  );
});
