import { describe, expect, it } from 'vitest';
import { NOT_EQUAL, TIMED_OUT, WOKEN } from '../../../lock/memory.ts';
import py32 from '../../../lock/policies/py32.ts';
import { scripted } from '../scripted-memory.ts';

const INTERVAL_NS = 5_000_000;
const ME = 2;
const OTHER = 1;

const { acquire, release } = scripted(py32, { interval: INTERVAL_NS }, ME);

/** LOCK after seven switches: free, held, held after one switch more. */
const FREE = 14;
const HELD = 15;
const SWITCHED = 17;
const WAIT = `wait LOCK ${HELD} ${INTERVAL_NS}`;
const ASK = 'store DROP_REQUEST 1';

describe('acquire', () => {
  it('of a free lock by its last holder is one compare-exchange and looks, and no switch', () => {
    const answers = { 'load LOCK': FREE, 'cas LOCK 14 15': FREE, 'load LAST_HOLDER': ME };
    expect(acquire(answers)).toEqual([
      'load LOCK',
      'load LAST_HOLDER',
      'cas LOCK 14 15',
      'load LAST_HOLDER',
      'load DROP_REQUEST',
    ]);
  });

  it('by another thread counts a switch in the same step, and tells the thread that was forced off', () => {
    expect(acquire({ 'load LOCK': FREE, 'cas LOCK 14 17': FREE, 'load LAST_HOLDER': OTHER })).toEqual([
      'load LOCK',
      'load LAST_HOLDER',
      'cas LOCK 14 17',
      'load LAST_HOLDER',
      `store LAST_HOLDER ${ME}`,
      'notify LAST_HOLDER Infinity',
      'load DROP_REQUEST',
    ]);
  });

  it('looks again when another thread was first', () => {
    const answers = { 'load LOCK': [FREE, SWITCHED - 1], 'cas LOCK 14 17': HELD, 'cas LOCK 16 19': SWITCHED - 1 };
    const steps = acquire({ ...answers, 'load LAST_HOLDER': OTHER });
    expect(steps.filter((step) => step.startsWith('cas'))).toEqual(['cas LOCK 14 17', 'cas LOCK 16 19']);
  });

  it('counts switches beyond 2^31 without an end', () => {
    const last = 2 ** 31 - 2;
    const steps = acquire({
      'load LOCK': last,
      [`cas LOCK ${last} ${-(2 ** 31) + 1}`]: last,
      'load LAST_HOLDER': OTHER,
    });
    expect(steps).toContain('load DROP_REQUEST');
  });

  /** Two looks at a lock that is held, the second after it counted itself; then those after each wait and before the next. */
  const waiting = (afterWaits: readonly number[], outcome: number) =>
    acquire({
      'load LOCK': [HELD, HELD, ...afterWaits],
      [WAIT]: outcome,
      [`wait LOCK ${SWITCHED} ${INTERVAL_NS}`]: outcome,
      'load LAST_HOLDER': ME,
      'cas LOCK 14 15': FREE,
    });

  it('asks after an interval without a switch', () => {
    expect(waiting([HELD, FREE], TIMED_OUT)).toContain(ASK);
  });

  it('does not ask when the lock changed hands meanwhile: a whole new interval begins', () => {
    const steps = waiting([SWITCHED, SWITCHED, SWITCHED, FREE], TIMED_OUT);
    expect(steps.filter((step) => step.startsWith('wait') || step === ASK)).toEqual([
      WAIT,
      `wait LOCK ${SWITCHED} ${INTERVAL_NS}`,
      ASK,
    ]);
  });

  it('does not ask when the lock is free by then', () => {
    expect(waiting([FREE, FREE], TIMED_OUT)).not.toContain(ASK);
  });

  it.each([
    ['a wake-up', WOKEN],
    ['a lock that was free before it slept', NOT_EQUAL],
  ])('does not ask after %s', (_, outcome) => {
    const steps = waiting([FREE], outcome);
    expect(steps).toContain(WAIT);
    expect(steps).not.toContain(ASK);
  });

  it('counts itself as a waiter before it looks again, and no longer once it has the lock', () => {
    const steps = waiting([FREE], WOKEN);
    expect(steps.slice(0, 4)).toEqual(['load LOCK', 'add WAITERS 1', 'load LOCK', WAIT]);
    expect(steps.filter((step) => step.startsWith('add WAITERS'))).toEqual(['add WAITERS 1', 'add WAITERS -1']);
  });

  it('clears the request that was made to the holder before', () => {
    expect(acquire({ 'load DROP_REQUEST': 1, 'load LAST_HOLDER': ME })).toContain('store DROP_REQUEST 0');
  });
});

describe('release', () => {
  it('that nobody waits for is one step and three looks', () => {
    expect(release({})).toEqual(['load DROP_REQUEST', 'add LOCK -1', 'load WAITERS', 'load DROP_REQUEST']);
  });

  it('with a request pending looks for a sleeper, and then frees the lock', () => {
    const steps = release({ 'load DROP_REQUEST': 1, 'notify LOCK 1': [0, 0, 1], 'load LAST_HOLDER': OTHER });
    expect(steps.slice(0, 5)).toEqual([
      'load DROP_REQUEST',
      ...['notify LOCK 1', 'notify LOCK 1', 'notify LOCK 1'],
      'add LOCK -1',
    ]);
  });

  it('frees the lock all the same if nobody falls asleep', () => {
    const steps = release({ 'load DROP_REQUEST': 1, 'load LAST_HOLDER': OTHER });
    expect(steps.filter((step) => step === 'notify LOCK 1')).toHaveLength(16);
    expect(steps).toContain('add LOCK -1');
  });

  it('wakes one waiter', () => {
    expect(release({ 'load WAITERS': 3 })).toEqual([
      'load DROP_REQUEST',
      'add LOCK -1',
      'load WAITERS',
      'notify LOCK 1',
      'load DROP_REQUEST',
    ]);
  });

  it('with a request pending waits, without a time-out, until another thread has had the lock', () => {
    const steps = release({ 'load WAITERS': 1, 'load DROP_REQUEST': 1, 'load LAST_HOLDER': [ME, ME, OTHER] });
    expect(steps.slice(-5)).toEqual([
      'load LAST_HOLDER',
      `wait LAST_HOLDER ${ME} Infinity`,
      'load LAST_HOLDER',
      `wait LAST_HOLDER ${ME} Infinity`,
      'load LAST_HOLDER',
    ]);
  });

  it('with a request pending goes on at once if another thread has it already', () => {
    const steps = release({ 'load DROP_REQUEST': 1, 'load LAST_HOLDER': OTHER });
    expect(steps.at(-1)).toBe('load LAST_HOLDER');
  });
});
