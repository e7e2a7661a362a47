import { describe, expect, it, vi } from 'vitest';
import { type Counts, readCounts } from '../../lock/counters.ts';
import { createLockState, GlobalLock, MAX_THREADS } from '../../lock/global-lock.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import priority from '../../lock/policies/priority.ts';
import py27 from '../../lock/policies/py27.ts';
import py32 from '../../lock/policies/py32.ts';
import { definePolicy } from '../../lock/policy.ts';
import { Recorder } from '../../lock/recorder.ts';
import { createRing } from '../../lock/ring.ts';

/** Two threads' handles on one lock, both in this thread: enough for what needs no sleeping. */
function twoHandles(policy = py32, options: Record<string, number> = { interval: 5e6 }) {
  const state = createLockState(policy);
  const counts = (thread: number): Counts => readCounts(new Float64Array(state.counters), thread);
  return { state, a: new GlobalLock(policy, options, state, 1), b: new GlobalLock(policy, options, state, 2), counts };
}

describe('around a call', () => {
  it('gives what the call gives, and counts a transition', () => {
    const { a, counts } = twoHandles();
    a.acquire();
    expect(a.around(() => 'result')).toBe('result');
    expect(counts(1)).toMatchObject({ transitions: 1, steals: 0, waits: 0 });
  });

  it('holds the lock again when the call has thrown', () => {
    const { a, b, counts } = twoHandles();
    a.acquire();
    expect(() =>
      a.around(() => {
        throw new Error('the call');
      }),
    ).toThrow('the call');
    a.release();
    b.acquire();
    b.release();
    expect(counts(1).transitions).toBe(1);
  });

  it('counts a steal when another thread had the lock meanwhile, and no wait when that cost nothing', () => {
    const { a, b, counts } = twoHandles();
    a.acquire();
    a.around(() => {
      b.acquire();
      b.release();
    });
    a.around(() => {});
    expect(counts(1)).toMatchObject({ transitions: 2, steals: 1, waits: 0 });
  });

  it.each([
    ['', false],
    [', also when it is recorded', true],
  ])(
    'has nothing between the call and the attempt to have the lock back, not even a look at the clock%s',
    (_, isRecorded) => {
      const order: string[] = [];
      const noting = definePolicy({
        name: 'noting',
        summary: '',
        exclusive: true,
        words: {},
        options: {},
        rules() {
          return {
            *acquire() {
              order.push('acquire');
            },
            *release() {
              order.push('release');
            },
            yieldPoint: { kind: 'never' },
          };
        },
      });
      const look = () => order.push('clock');
      const now = vi.spyOn(performance, 'now').mockImplementation(look);
      const lock = new GlobalLock(
        noting,
        {},
        createLockState(noting),
        1,
        isRecorded ? new Recorder(createRing(), look) : null,
      );
      lock.acquire();
      order.length = 0;
      lock.around(() => order.push('call'));
      now.mockRestore();
      expect(order.slice(order.indexOf('release'))).toEqual(['release', 'call', 'acquire', 'clock']);
    },
  );

  it('counts no steals where several threads may run at once', () => {
    const { a, b, counts } = twoHandles(freeThreaded, {});
    a.acquire();
    a.around(() => {
      b.acquire();
      b.release();
    });
    expect(counts(1)).toMatchObject({ transitions: 1, steals: 0 });
  });
});

describe('a yield point', () => {
  it('does nothing under py32 while nobody asks', () => {
    const { a, counts } = twoHandles();
    a.acquire();
    for (let look = 0; look < 1_000; look++) a.yieldPoint(3);
    expect(counts(1).yields).toBe(0);
  });

  it.each([
    [2.5, 250],
    [30, 3_000],
  ])(
    'offers the lock under py27 every 100 ticks in the mean, also if there are %d between two looks',
    (ticks, yields) => {
      const { a, counts } = twoHandles(py27, { check: 100 });
      a.acquire();
      for (let look = 0; look < 10_000; look++) a.yieldPoint(ticks);
      expect(counts(1).yields).toBe(yields);
    },
  );

  it('offers it once after long work without a look, and not again for all that was missed', () => {
    const { a, counts } = twoHandles(py27, { check: 100 });
    a.acquire();
    a.yieldPoint(1);
    a.yieldPoint(250_030);
    expect(counts(1).yields).toBe(2);
    a.yieldPoint(60);
    expect(counts(1).yields).toBe(2);
    a.yieldPoint(20);
    expect(counts(1).yields).toBe(3);
  });

  it('counts the ticks of all threads together, as _Py_Ticker does', () => {
    const { a, b, counts } = twoHandles(py27, { check: 1_000 });
    a.acquire();
    a.yieldPoint(1);
    for (let look = 0; look < 600; look++) a.yieldPoint(1);
    a.release();
    b.acquire();
    for (let look = 0; look < 600; look++) b.yieldPoint(1);
    expect(counts(1).yields + counts(2).yields).toBe(2);
  });

  it('never offers it without a lock', () => {
    const { a, counts } = twoHandles(freeThreaded, {});
    for (let look = 0; look < 1_000; look++) a.yieldPoint(1_000);
    expect(counts(1).yields).toBe(0);
  });
});

it('says whether the policy knows priorities', () => {
  const known = twoHandles(priority);
  known.a.acquire();
  expect(known.a.setPriority(-1)).toBe(true);
  expect(twoHandles().a.setPriority(-1)).toBe(false);
});

it.each([0, -1, 1.5, MAX_THREADS + 1])('refuses %s as a thread number', (number) => {
  const state = createLockState(py32);
  expect(() => new GlobalLock(py32, { interval: 5e6 }, state, number)).toThrow(RangeError);
});

it('runs a policy that has no words', () => {
  const none = definePolicy({
    name: 'none',
    summary: '',
    exclusive: false,
    words: {},
    options: {},
    rules: () => ({ *acquire() {}, *release() {}, yieldPoint: { kind: 'never' } }),
  });
  const { a } = twoHandles(none, {});
  a.acquire();
  a.release();
});
