import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureOf, intervalOf, METRICS, type MetricName } from '../../../bench/figures/metrics.ts';
import { type Summary, summarize } from '../../../bench/figures/summary.ts';
import type { Cell } from '../../../bench/result/result.ts';
import { cell, measured, type RoundOptions, roundsOf } from '../result-builder.ts';

/** The summary of the last of some cells. */
function last(...cells: Cell[]): Summary {
  const summary = summarize({ cells }).at(-1);
  if (summary === undefined) throw new Error('no cells');
  return summary;
}
const one = (options: RoundOptions) => last(cell('py32/blocking loaded', [measured(options)]));
const unloaded = (ms: readonly number[], policy = 'py32') => cell(`${policy}/blocking unloaded`, roundsOf(ms));
const loaded = (ms: readonly number[], policy = 'py32') => cell(`${policy}/blocking loaded`, roundsOf(ms));

describe('total and slowdowns', () => {
  it('the total is the time for 10,000 messages, pauses included, in the middle of the rounds', () => {
    expect(figureOf(last(loaded([3, 2, 9])), 'total')).toBe(30e9);
  });

  it('a slowdown is against the same policy, the same server and the same round', () => {
    const summary = last(unloaded([1.5, 3], 'priority'), unloaded([9, 9]), loaded([3, 9], 'priority'));
    expect(figureOf(summary, 'slowdown')).toBeCloseTo((2 + 3) / 2);
    expect(figureOf(summary, 'talk-slowdown')).toBeCloseTo((3 / 9 + 1) / 2);
  });

  it('there is none without the unloaded cell, and none of it', () => {
    expect(figureOf(last(loaded([3])), 'slowdown')).toBeNull();
    expect(figureOf(last(unloaded([3])), 'slowdown')).toBeNull();
    expect(figureOf(last(unloaded([3])), 'talk-slowdown')).toBeNull();
    expect(figureOf(last(unloaded([2]), unloaded([3], 'py27')), 'talk-slowdown')).toBeCloseTo(1.5);
  });

  it('a round whose unloaded counterpart failed is left out of the ratio, not of the total', () => {
    const base = cell('py32/blocking unloaded', [
      { state: 'failed', round: 1, message: 'gone' },
      measured({ round: 2, rttMs: [1, 1] }),
    ]);
    const summary = last(base, loaded([100, 4]));
    expect(figureOf(summary, 'slowdown')).toBeCloseTo(2);
    expect(figureOf(summary, 'total')).toBeCloseTo(520e9);
  });
});

describe('latency', () => {
  it('is of all rounds together', () => {
    const rounds = [measured({ rttMs: [1, 1, 1] }), measured({ round: 2, rttMs: [5] })];
    const summary = last(cell('py32/blocking loaded', rounds));
    expect(figureOf(summary, 'p50')).toBe(1e6);
    expect(figureOf(summary, 'max')).toBe(5e6);
  });

  it('against the schedule holds the queue that a closed loop hides', () => {
    // Due at 0, 2, 4 and 6 ms; the first takes 10 ms and holds up all others.
    const summary = last(
      unloaded([2]),
      cell('py32/blocking loaded', [measured({ rttMs: [10, 1, 1, 1], sentMs: [0, 11, 13, 15] })]),
    );
    expect(figureOf(summary, 'p50')).toBe(1e6);
    // 10, 11+1−2, 13+1−4, 15+1−6
    expect(figureOf(summary, 'scheduled-p50')).toBe(10e6);
    expect(figureOf(summary, 'scheduled-max')).toBe(10e6);
  });

  it('against the schedule is never less than the round trip, and exists only beside an unloaded cell', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 30, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (rttMs) => {
          const summary = last(unloaded([2]), cell('py32/blocking loaded', [measured({ rttMs })]));
          for (const p of ['p50', 'p90', 'p99', 'p99.9', 'max'] as const) {
            expect(figureOf(summary, `scheduled-${p}`)).toBeGreaterThanOrEqual(figureOf(summary, p) ?? 0);
          }
        },
      ),
    );
    expect(figureOf(one({}), 'scheduled-p50')).toBeNull();
  });

  it('lateness is the share of messages that took longer than what people notice', () => {
    const summary = one({ rttMs: [16.7, 16.8, 100.1, 1_001] });
    expect(figureOf(summary, 'over-16.7ms')).toBe(0.75);
    expect(figureOf(summary, 'over-100ms')).toBe(0.5);
    expect(figureOf(summary, 'over-1s')).toBe(0.25);
  });
});

describe('where the time goes', () => {
  const parts = ['lock-wait', 'work', 'calls'] as const;

  it('lock wait, work and calls add up to the mean round trip', () => {
    const summary = one({ rttMs: [1, 2, 3, 6], lockWaitMs: [0, 1, 0, 5], workMs: [0.5, 0.5, 0.5, 0.5] });
    expect(parts.map((part) => figureOf(summary, part))).toEqual([1.5e6, 0.5e6, 1e6]);
  });

  it('the slowest 1 % are the round trips from p99 on, over all rounds, as selecting them one by one says', () => {
    const round = fc.array(fc.tuple(fc.integer({ min: 3, max: 40 }), fc.integer({ min: 0, max: 3 })), {
      minLength: 1,
      maxLength: 150,
    });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 3 }), (rounds) => {
        const summary = last(
          cell(
            'py32/blocking loaded',
            rounds.map((messages, i) =>
              measured({
                round: i + 1,
                rttMs: messages.map(([rtt]) => rtt),
                lockWaitMs: messages.map(([, wait]) => wait),
              }),
            ),
          ),
        );
        const p99 = (figureOf(summary, 'p99') ?? 0) / 1e6;
        const slow = rounds.flat().filter(([rtt]) => rtt >= p99);
        const meanOf = (value: (message: readonly [number, number]) => number) =>
          (slow.reduce((sum, message) => sum + value(message), 0) / slow.length) * 1e6;
        expect(figureOf(summary, 'slow-lock-wait')).toBeCloseTo(
          meanOf(([, wait]) => wait),
          3,
        );
        expect(figureOf(summary, 'slow-calls')).toBeCloseTo(
          meanOf(([rtt, wait]) => rtt - wait),
          3,
        );
      }),
    );
  });

  it('counts are per message, shares are of the time', () => {
    const summary = one({
      counts: { transitions: 12, steals: 6, waits: 4, waitNs: 8e6, waitBehindSpinnersNs: 6e6 },
      cpuShare: 0.18,
      kept: 0.7,
    });
    const figures = ['transitions', 'steals', 'waits', 'behind-spinners', 'cpu', 'spinners-keep'] as const;
    expect(figures.map((name) => figureOf(summary, name))).toEqual([3, 1.5, 1, 0.75, expect.closeTo(0.18), 0.7]);
  });

  it('of a lock that was not counted there is no figure, not even of one round in two; of the rest there is', () => {
    const rounds = [measured(), measured({ round: 2, counted: false })];
    const summary = last(cell('PyPy 7.3.11/blocking loaded', rounds));
    const ofLock = [
      'transitions',
      'steals',
      'waits',
      'behind-spinners',
      'lock-wait',
      'work',
      'calls',
      'slow-work',
    ] as const;
    expect(ofLock.map((name) => figureOf(summary, name))).toEqual(ofLock.map(() => null));
    expect(summary.waits).toBeNull();
    for (const name of ['total', 'p99', 'cpu'] as const) expect(figureOf(summary, name)).not.toBeNull();
  });

  it('without waits nobody was waited for, and without CPU threads none keep anything', () => {
    expect(figureOf(one({}), 'behind-spinners')).toBeNull();
    expect(figureOf(one({}), 'spinners-keep')).toBeNull();
  });

  it('the wait histogram is that of all rounds', () => {
    const rounds = [measured({ waits: { 13: 2 } }), measured({ round: 2, waits: { 13: 1, 20: 4 } })];
    const { waits } = last(cell('py32/blocking loaded', rounds));
    expect([waits?.[13], waits?.[20], waits?.[0]]).toEqual([3, 4, 0]);
  });
});

describe('a cell', () => {
  it('that failed, or to which no message came back, has no figure at all', () => {
    const failed = last(cell('py32/blocking loaded', [{ state: 'failed', round: 1, message: 'gone' }]));
    const starved = one({ rttMs: [], ended: 'budget', durationMs: 10_000 });
    for (const summary of [failed, starved]) {
      for (const name of Object.keys(METRICS) as MetricName[]) {
        expect([name, figureOf(summary, name), intervalOf(summary, name, 1)]).toEqual([name, null, null]);
      }
    }
    expect(failed).toMatchObject({ measuredRounds: 0, failures: ['gone'] });
    expect(starved).toMatchObject({ measuredRounds: 1, messages: 0, overBudget: true });
  });

  it('says that it is projected when fewer than 10,000 messages ran', () => {
    expect(one({})).toMatchObject({ projected: true, overBudget: false });
    expect(one({ rttMs: Array(10_000).fill(0.1) })).toMatchObject({ projected: false });
  });

  it('has the same interval each time, from the seed of its result', () => {
    const summary = last(unloaded([2, 2.1, 1.9]), loaded([4, 6, 5]));
    expect(intervalOf(summary, 'slowdown', 7)).toEqual(intervalOf(summary, 'slowdown', 7));
    expect(intervalOf(summary, 'slowdown', 7)).toEqual({ low: 2, high: expect.closeTo(6 / 2.1) });
  });
});
