import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMN_NS, columnsOf } from '../../../bench/demo/lock-columns.ts';
import { EVENTS, STATES, type Timeline } from '../../../lock/timeline.ts';

const numberOf = (word: (typeof EVENTS)[number]) => EVENTS.indexOf(word);

/** A timeline of one thread. */
function timeline(fromNs: number, untilNs: number, events: readonly [number, (typeof EVENTS)[number]][]): Timeline {
  const atNs = events.map(([at]) => at);
  const event = events.map(([, word]) => numberOf(word));
  const by = events.map(() => 0);
  return {
    fromNs,
    untilNs,
    calls: ['call'],
    threads: [{ thread: 1, name: 'connection 1', role: 'server', lostEvents: 0, atNs, event, by }],
  };
}

const arbitraryTimeline = fc
  .record({
    fromNs: fc.integer({ min: 0, max: 10 * COLUMN_NS }),
    first: fc.constantFrom(...STATES),
    rest: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * COLUMN_NS }), fc.constantFrom(...EVENTS)), { maxLength: 40 }),
    tailNs: fc.integer({ min: 0, max: 5 * COLUMN_NS }),
  })
  .map(({ fromNs, first, rest, tailNs }) => {
    const events: [number, (typeof EVENTS)[number]][] = [[fromNs, first]];
    let nowNs = fromNs;
    for (const [pauseNs, word] of rest) {
      nowNs += pauseNs;
      events.push([nowNs, word]);
    }
    return timeline(fromNs, nowNs + tailNs, events);
  });

/** The same of CPU threads, together. */
function spinning(...timelines: readonly Timeline[]): Timeline {
  const [first] = timelines as [Timeline];
  const threads = timelines.flatMap(({ threads }) => threads);
  return {
    ...first,
    fromNs: Math.min(...timelines.map(({ fromNs }) => fromNs)),
    untilNs: Math.max(...timelines.map(({ untilNs }) => untilNs)),
    threads: threads.map((thread, i) => ({ ...thread, thread: i + 1, role: 'spinner' })),
  };
}

describe('columns of the lock', () => {
  it('spend all of their time, unless the thread took no part', () => {
    fc.assert(
      fc.property(arbitraryTimeline, (made) => {
        const columns = columnsOf(made);
        const thread = columns?.threads[0];
        const takesPart = !made.threads[0]?.event.includes(numberOf('away'));
        for (const [i, runs] of thread?.runs.entries() ?? []) {
          const sum = runs + (thread?.waits[i] ?? Number.NaN) + (thread?.calls[i] ?? Number.NaN);
          // Each of the three is rounded.
          expect(sum).toBeLessThanOrEqual(101);
          if (takesPart) expect(sum).toBeGreaterThanOrEqual(99);
        }
      }),
    );
  });

  it('are the same whether the timeline is read at once or in two parts', () => {
    fc.assert(
      fc.property(arbitraryTimeline, fc.double({ min: 0, max: 1, noNaN: true }), (whole, share) => {
        const cutNs = COLUMN_NS * Math.ceil((whole.fromNs + share * (whole.untilNs - whole.fromNs)) / COLUMN_NS);
        fc.pre(cutNs <= whole.untilNs);
        const [before, after] = cutAt(whole, cutNs);
        const all = columnsOf(whole);
        const parts = [columnsOf(before), columnsOf(after)];
        for (const what of ['runs', 'waits', 'calls', 'requests'] as const) {
          expect(parts.flatMap((part) => part?.threads[0]?.[what] ?? [])).toEqual(all?.threads[0]?.[what] ?? []);
        }
        const last = parts.findLast((part) => part !== null);
        expect(last?.endNs).toBe(all?.endNs);
      }),
    );
  });

  it('say how a column was spent, and how often the lock was asked for in it', () => {
    const half = COLUMN_NS / 2;
    const made = timeline(0, 3 * COLUMN_NS, [
      [0, 'call'],
      [half, 'wants'],
      [COLUMN_NS + 1, 'drop-requested'],
      [COLUMN_NS + half, 'sleeps'],
      [2 * COLUMN_NS, 'runs'],
    ]);
    expect(columnsOf(made)).toMatchObject({
      first: 0,
      threads: [{ calls: [50, 0, 0], waits: [50, 100, 0], runs: [0, 0, 100], requests: [0, 1, 0] }],
    });
  });

  it('say in what share of their time a CPU thread had the lock, several at once as one', () => {
    const a = timeline(0, 4 * COLUMN_NS, [
      [0, 'runs'],
      [COLUMN_NS, 'drop-honoured'],
      [COLUMN_NS, 'wants'],
    ]);
    const b = timeline(0, 4 * COLUMN_NS, [
      [0, 'sleeps'],
      [COLUMN_NS / 2, 'runs'],
      [2 * COLUMN_NS, 'call'],
      [3.5 * COLUMN_NS, 'runs'],
    ]);
    expect(columnsOf(spinning(a))?.spinnersHold).toBe(0.25);
    expect(columnsOf(spinning(b))?.spinnersHold).toBe(0.5);
    expect(columnsOf(spinning(a, b))?.spinnersHold).toBe(0.625);
    expect(columnsOf(a)?.spinnersHold).toBeNull();
  });

  it('never say that CPU threads had the lock for longer than there was time, whatever they did', () => {
    fc.assert(
      fc.property(fc.array(arbitraryTimeline, { minLength: 1, maxLength: 4 }), (timelines) => {
        const columns = columnsOf(spinning(...timelines));
        if (columns === null) return;
        const { spinnersHold: share, threads } = columns;
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
        // No less than the one that had it longest, no more than all of them together; columns are rounded.
        const each = threads.map(({ runs }) => runs.reduce((sum, run) => sum + run, 0) / runs.length / 100);
        expect(share).toBeGreaterThanOrEqual(Math.max(...each) - 0.006);
        expect(share).toBeLessThanOrEqual(each.reduce((sum, run) => sum + run, 0) + 0.006 * each.length);
      }),
    );
  });

  it('are none before the first whole one', () => {
    expect(columnsOf(timeline(1, 2 * COLUMN_NS - 1, [[1, 'runs']]))).toBeNull();
  });
});

/** As two readings of one recording: the second begins with the state the thread was in. */
function cutAt(whole: Timeline, cutNs: number): [Timeline, Timeline] {
  const events = whole.threads[0]?.atNs.map((at, i) => {
    return [at, EVENTS[whole.threads[0]?.event[i] ?? -1]] as [number, (typeof EVENTS)[number]];
  });
  const before = (events ?? []).filter(([at]) => at < cutNs);
  const state = before.findLast(([, word]) => STATES.some((each) => each === word))?.[1] ?? 'away';
  const after = (events ?? []).filter(([at]) => at >= cutNs);
  return [timeline(whole.fromNs, cutNs, before), timeline(cutNs, whole.untilNs, [[cutNs, state], ...after])];
}
