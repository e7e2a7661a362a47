import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBelow, percentile, pooledPercentile, sortSamples, spreadOf } from '../../../bench/figures/statistics.ts';

const samples = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
const percents = fc.constantFrom(0, 1, 10, 50, 90, 99, 99.9, 100);

describe('a percentile', () => {
  it('is the nearest rank by its definition: the smallest sample that enough samples do not exceed', () => {
    fc.assert(
      fc.property(samples, percents, (values, percent) => {
        // Whole numbers: per mille of samples, times samples.
        const enough = (value: number) =>
          values.filter((each) => each <= value).length * 1_000 >= Math.round(percent * 10) * values.length;
        const expected = Math.min(...values.filter(enough));
        expect(percentile(sortSamples(values), percent)).toBe(expected);
      }),
    );
  });

  it.each([1_000, 3_000, 10_000])('p99.9 of %i messages leaves exactly a thousandth above it', (count) => {
    const sorted = sortSamples(Array.from({ length: count }, (_, i) => i + 1));
    expect(percentile(sorted, 99.9)).toBe(count - count / 1_000);
  });

  it('of no samples is not a number', () => {
    expect(percentile(sortSamples([]), 50)).toBeNaN();
    expect(pooledPercentile([], 50)).toBeNaN();
    expect(pooledPercentile([sortSamples([])], 50)).toBeNaN();
  });

  it('of several groups is that of all their samples thrown together', () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 1, maxLength: 5 }), percents, (groups, percent) => {
        expect(pooledPercentile(groups.map(sortSamples), percent)).toBe(
          percentile(sortSamples(groups.flat()), percent),
        );
      }),
    );
  });
});

it('how many samples are below a value is what counting them says', () => {
  fc.assert(
    fc.property(samples, fc.integer({ min: -1, max: 51 }), (values, value) => {
      expect(countBelow(sortSamples(values), value)).toBe(values.filter((each) => each < value).length);
    }),
  );
});

it('the spread of rounds is their median, lowest and highest; of no rounds there is none', () => {
  expect(spreadOf([3, 1, 2, 10])).toEqual({ median: 2.5, min: 1, max: 10 });
  expect(spreadOf([])).toBeNull();
});
