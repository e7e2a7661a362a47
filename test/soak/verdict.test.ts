import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Subject, soak } from './subject.ts';
import { grows, LEAST_MS } from './verdict.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** Holds so many descriptors after each of its cycles. */
function holding(descriptors: (cycle: number) => number): Subject {
  let cycle = 0;
  return {
    name: 'a process',
    leastCycles: 24,
    cycle: async () => {
      cycle++;
      vi.advanceTimersByTime(100);
    },
    usage: () => ({ memoryBytes: 1e6 * descriptors(cycle), descriptors: descriptors(cycle), threads: 9, children: 0 }),
    stop: async () => {},
  };
}

describe('a soak of seconds', () => {
  it('finds a descriptor that each cycle leaves behind', async () => {
    expect(
      grows(
        'descriptors',
        await soak(
          holding((cycle) => 40 + cycle),
          0,
        ),
        1_000,
      ),
    ).toBe(true);
  });

  it('takes a thread more in a pool, with its descriptors, for no leak', async () => {
    for (const from of [8, 12, 16, 20])
      expect(
        grows(
          'descriptors',
          await soak(
            holding((cycle) => (cycle < from ? 40 : 46)),
            0,
          ),
          1_000,
        ),
      ).toBe(false);
  });

  it('does not judge memory', async () => {
    expect(
      grows(
        'memoryBytes',
        await soak(
          holding((cycle) => 40 + cycle),
          0,
        ),
        1_000,
      ),
    ).toBe(false);
  });
});

describe('a soak of minutes', () => {
  it('finds all that grows by more than 5 % in all', async () => {
    const soaked = await soak(
      holding((cycle) => 400 + cycle),
      0,
    );
    expect(grows('descriptors', soaked, LEAST_MS)).toBe(false);
    const leaking = await soak(
      holding((cycle) => 100 + 0.4 * cycle),
      0,
    );
    expect(grows('descriptors', leaking, LEAST_MS)).toBe(true);
    expect(grows('memoryBytes', leaking, LEAST_MS)).toBe(true);
    expect(grows('descriptors', leaking, 1_000)).toBe(false);
  });
});
