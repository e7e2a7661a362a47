import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapClock, readClock } from '../../../bench/remote/clock.ts';

/** A clock that shows `offsetNs` more than ours and gains `drift` on it, behind a network that takes its time each way. */
function farClock(offsetNs: number, drift: number, ways: () => { there: number; back: number }) {
  let ourNs = 1e12;
  return {
    now: () => ourNs,
    let: (ns: number) => {
      ourNs += ns;
    },
    at: (ns: number) => ns + offsetNs + drift * (ns - 1e12),
    async ask() {
      const { there, back } = ways();
      ourNs += there;
      const shown = ourNs + offsetNs + drift * (ourNs - 1e12);
      ourNs += back;
      return shown;
    },
  };
}

const ways = fc.record({ there: fc.integer({ min: 10_000, max: 5e6 }), back: fc.integer({ min: 10_000, max: 5e6 }) });

describe('the clock of another machine', () => {
  it('is known to within what is said, however uneven the ways are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(ways, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: -1e15, max: 1e15 }),
        async (delays, offsetNs) => {
          let question = 0;
          const far = farClock(offsetNs, 0, () => delays[question++ % delays.length] as (typeof delays)[0]);
          const reading = await readClock(far.ask, far.now);
          // Doubles of this size know no eighth of a nanosecond.
          expect(Math.abs(reading.offsetNs - offsetNs)).toBeLessThanOrEqual(reading.errorNs + 1);
          const quickest = Math.min(...delays.map(({ there, back }) => there + back));
          expect(reading.errorNs).toBeLessThanOrEqual(quickest / 2 + 1);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('that runs at another speed is laid over ours all along', async () => {
    // 80 µs a second, as quartz in two machines may; over three minutes 14 ms.
    const far = farClock(-3e9, 80e-6, () => ({ there: 40_000, back: 60_000 }));
    const before = await readClock(far.ask, far.now);
    const startNs = far.now();
    far.let(180e9);
    const after = await readClock(far.ask, far.now);
    const moments = [startNs, startNs + 60e9, startNs + 180e9];
    const { ours, errorNs } = mapClock(before, after);
    expect(errorNs).toBeLessThanOrEqual(50_001);
    for (const ns of moments) expect(Math.abs(ours(far.at(ns)) - ns)).toBeLessThanOrEqual(errorNs + 1);
  });
});
