import { describe, expect, it } from 'vitest';
import { growth, type Sample, troughs } from './trend.ts';

const samples = (value: (i: number) => number, length = 200): Sample[] =>
  Array.from({ length }, (_, i) => ({ atMs: i * 100, value: value(i) }));
/** Between 0 and 1, the same each time, without a trend. */
const noise = (i: number) => (i * 0.618_034) % 1;

describe('growth', () => {
  it('of what stays as it is is 0, whatever the noise and whatever the first and the last sample', () => {
    expect(growth(samples(() => 25))).toBe(0);
    expect(Math.abs(growth(samples((i) => 100 + 10 * noise(i))))).toBeLessThan(0.01);
    expect(growth(samples((i) => (i === 0 ? 1 : i === 199 ? 1_000 : 25)))).toBe(0);
  });

  it('of a leak is what it adds, in noise ten times as high', () => {
    expect(growth(samples((i) => 100 + (10 * i) / 199))).toBeCloseTo(10 / 105, 3);
    expect(growth(samples((i) => 100 + (10 * i) / 199 + 100 * noise(i)))).toBeGreaterThan(0.05);
  });

  it('of what is never there is 0', () => {
    expect(growth(samples(() => 0))).toBe(0);
  });

  it('of a heap is that of what it holds after its collections', () => {
    const sawtooth = (i: number) => 100 + (i % 7);
    expect(growth(troughs(samples(sawtooth), 8))).toBe(0);
    expect(
      growth(
        troughs(
          samples((i) => sawtooth(i) + i / 10),
          8,
        ),
      ),
    ).toBeGreaterThan(0.15);
  });
});
