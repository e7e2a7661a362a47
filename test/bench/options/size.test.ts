import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatSize, parseSize } from '../../../bench/options/size.ts';

it('reads every unit as bytes', () => {
  expect(parseSize('8KiB')).toBe(8192);
  expect(parseSize('1.5kB')).toBe(1500);
  expect(parseSize('64MiB')).toBe(67_108_864);
  expect(parseSize('1MB')).toBe(1_000_000);
  expect(parseSize('1GiB')).toBe(2 ** 30);
  expect(parseSize('12')).toBe(12);
  expect(parseSize('0B')).toBe(0);
});

it.each(['', '8 KiB', '8kib', '-1', '0.5B', '1e3', 'KiB'])('does not read «%s»', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

it('reads back what it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }),
  );
});
