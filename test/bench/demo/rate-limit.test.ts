import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RateLimit } from '../../../bench/demo/rate-limit.ts';

it('lets through no more than the burst and the rate, and all of what is slower', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 300 }), (pausesMs) => {
      const limit = new RateLimit(10, 5, 0);
      let nowMs = 0;
      let taken = 0;
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        const took = limit.take(nowMs);
        if (took) taken++;
        // At 10 a second one that waits longer than 100 ms always gets through.
        if (pauseMs > 100) expect(took).toBe(true);
      }
      expect(taken).toBeLessThanOrEqual(5 + nowMs / 100);
    }),
  );
});
