import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../lock/duration.ts';

it('reads every unit as nanoseconds', () => {
  expect(parseDuration('7ns')).toBe(7);
  expect(parseDuration('1.5us')).toBe(1_500);
  expect(parseDuration('1µs')).toBe(1_000);
  expect(parseDuration('5ms')).toBe(5_000_000);
  expect(parseDuration('.5s')).toBe(500_000_000);
  expect(parseDuration('2min')).toBe(120_000_000_000);
  expect(parseDuration('0')).toBe(0);
});

it.each(['', '5', '-1ms', '1 ms', '1h', 'ms', '1e3ms', '5msx', 'Infinityms'])('does not read «%s»', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it('reads back what it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_600_000_000_000 }), (ns) => {
      expect(parseDuration(formatDuration(ns))).toBeCloseTo(ns, 3);
    }),
  );
});
