import fc from 'fast-check';
import { mean, median } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { bootstrapInterval } from '../../../bench/figures/bootstrap.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const medianOf = ([rounds = []]: readonly (readonly number[])[]) => median(rounds);

describe('the interval of a figure', () => {
  it('follows from the rounds and the seed alone', () => {
    const rounds = [5, 3, 8, 1, 9, 4, 7];
    const interval = (seed: number) => bootstrapInterval([rounds], ([drawn = []]) => mean([...drawn]), seed);
    expect(interval(1)).toEqual(interval(1));
    expect(interval(1)).not.toEqual(interval(2));
  });

  it('lies within the rounds, and holds their median', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 2, maxLength: 9 }), seeds, (rounds, seed) => {
        const interval = bootstrapInterval([rounds], medianOf, seed);
        expect(interval?.low).toBeGreaterThanOrEqual(Math.min(...rounds));
        expect(interval?.high).toBeLessThanOrEqual(Math.max(...rounds));
        expect(interval?.low).toBeLessThanOrEqual(median(rounds));
        expect(interval?.high).toBeGreaterThanOrEqual(median(rounds));
      }),
      { numRuns: 40 },
    );
  });

  it.each([2, 3, 4, 5])(
    'of the median of %i rounds goes from the lowest to the highest, as the documentation says',
    (n) => {
      const rounds = Array.from({ length: n }, (_, i) => 10 + i);
      fc.assert(
        fc.property(seeds, (seed) => {
          expect(bootstrapInterval([rounds], medianOf, seed)).toEqual({ low: 10, high: 10 + n - 1 });
        }),
        { numRuns: 20 },
      );
    },
  );

  it('of the mean of many rounds is about two standard errors to each side', () => {
    const rounds = Array.from({ length: 200 }, (_, i) => i);
    const interval = bootstrapInterval([rounds], ([drawn = []]) => mean([...drawn]), 3);
    // 57.7 / √200 × 1.96 = 8.0
    expect(99.5 - (interval?.low ?? 0)).toBeCloseTo(8, -0.5);
    expect((interval?.high ?? 0) - 99.5).toBeCloseTo(8, -0.5);
  });

  it('does not exist for a single round, in either group, nor where no draw has the figure', () => {
    expect(bootstrapInterval([[1]], medianOf, 1)).toBeNull();
    expect(bootstrapInterval([[1, 2], [3]], medianOf, 1)).toBeNull();
    expect(bootstrapInterval([[1, 2]], () => null, 1)).toBeNull();
  });
});
