import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitRoundTrips } from '../../../bench/measure/split.ts';

it('gives each state of the server its part of the round trip', () => {
  // In recv until 100, waits for the lock until 130, works until 150, in send until 160, waits until 161.
  const calls = Float64Array.of(0, 100, 130, 150, 160, 161);
  expect(splitRoundTrips([90], [65], calls)).toEqual({ lockWaitNs: [30], workNs: [20] });
});

it('does not count what lies before the message was sent or after its echo was back', () => {
  const calls = Float64Array.of(0, 100, 130, 150, 160, 190);
  expect(splitRoundTrips([120], [50], calls)).toEqual({ lockWaitNs: [10 + 10], workNs: [20] });
});

it('finds nothing in a log without calls: a server that never gives up a lock it never has', () => {
  expect(splitRoundTrips([5, 50], [10, 10], new Float64Array(0))).toEqual({ lockWaitNs: [0, 0], workNs: [0, 0] });
});

/** Ascending times: of calls (three each), and of messages (sent, back). */
const times = (groupOf: number) =>
  fc
    .array(fc.integer({ min: 0, max: 30 }), { minLength: groupOf, maxLength: 60 })
    .map((gaps) => gaps.slice(0, gaps.length - (gaps.length % groupOf)))
    .map((gaps) => {
      let now = 0;
      return gaps.map((gap) => (now += gap));
    });

it('agrees with counting every nanosecond', () => {
  fc.assert(
    fc.property(times(3), times(2), (calls, trips) => {
      const sent = trips.filter((_, i) => i % 2 === 0);
      const rtt = trips.filter((_, i) => i % 2 === 1).map((back, i) => back - (sent[i] as number));
      const state = (at: number) => {
        for (let n = 0; n < calls.length; n += 3) {
          const [released, returned, acquired, next] = calls.slice(n, n + 4) as [number, number, number, number?];
          if (at >= returned && at < acquired) return 'wait';
          if (at >= acquired && next !== undefined && at < next) return 'work';
          if (at < released) break;
        }
        return 'call';
      };
      const count = (wanted: string) =>
        sent.map((from, i) => {
          const instants = Array.from({ length: rtt[i] as number }, (_, ns) => from + ns);
          return instants.filter((at) => state(at) === wanted).length;
        });
      expect(splitRoundTrips(sent, rtt, Float64Array.from(calls))).toEqual({
        lockWaitNs: count('wait'),
        workNs: count('work'),
      });
    }),
  );
});
