import { describe, expect, it } from 'vitest';
import { layOut, NOT_EQUAL, TIMED_OUT, WOKEN } from '../../../lock/memory.ts';
import py32 from '../../../lock/policies/py32.ts';
import { ScriptedMemory } from '../scripted-memory.ts';

const INTERVAL_NS = 5_000_000;
const ME = 2;
const OTHER = 1;

const rules = py32.rules(layOut(py32.words), { interval: INTERVAL_NS });
const memory = () => new ScriptedMemory(py32);
const acquire = (answers: Readonly<Record<string, number | readonly number[]>>) => {
  const m = memory();
  return m.run(rules.acquire(m, ME), answers);
};
const release = (answers: Readonly<Record<string, number | readonly number[]>>) => {
  const m = memory();
  return m.run(rules.release(m, ME), answers);
};

const WAIT = `wait LOCKED 1 ${INTERVAL_NS}`;
const TAKE = 'cas LOCKED 0 1';
const ASK = 'store DROP_REQUEST 1';

describe('acquire', () => {
  it('of a free lock by its last holder is one compare-exchange and two looks', () => {
    expect(acquire({ 'load LAST_HOLDER': ME })).toEqual([TAKE, 'load LAST_HOLDER', 'load DROP_REQUEST']);
  });

  it('by another thread counts a switch, and tells the thread that was forced off', () => {
    expect(acquire({ 'load LAST_HOLDER': OTHER })).toEqual([
      TAKE,
      'load LAST_HOLDER',
      'add SWITCH_NUMBER 1',
      `store LAST_HOLDER ${ME}`,
      'notify LAST_HOLDER Infinity',
      'load DROP_REQUEST',
    ]);
  });

  it('asks after an interval without a switch', () => {
    const steps = acquire({ [TAKE]: [1, 1, 0], [WAIT]: TIMED_OUT, 'load LOCKED': 1, 'load SWITCH_NUMBER': 7 });
    expect(steps).toContain(ASK);
  });

  it('does not ask when the lock changed hands meanwhile: a whole new interval begins', () => {
    const steps = acquire({
      [TAKE]: [1, 1, 1, 0],
      [WAIT]: TIMED_OUT,
      'load LOCKED': 1,
      // Before and after the first wait, before and after the second.
      'load SWITCH_NUMBER': [7, 8, 8, 8],
    });
    expect(steps.filter((step) => step === WAIT || step === ASK)).toEqual([WAIT, WAIT, ASK]);
  });

  it('does not ask when the lock is free by then', () => {
    expect(acquire({ [TAKE]: [1, 1, 0], [WAIT]: TIMED_OUT, 'load LOCKED': 0 })).not.toContain(ASK);
  });

  it.each([
    ['a wake-up', WOKEN],
    ['a lock that was free before it slept', NOT_EQUAL],
  ])('does not ask after %s', (_, outcome) => {
    expect(acquire({ [TAKE]: [1, 1, 0], [WAIT]: outcome, 'load LOCKED': 1 })).not.toContain(ASK);
  });

  it('counts itself as a waiter before it looks again, and no longer once it has the lock', () => {
    const steps = acquire({ [TAKE]: [1, 1, 0], [WAIT]: WOKEN });
    expect(steps.slice(0, 3)).toEqual([TAKE, 'add WAITERS 1', TAKE]);
    expect(steps.filter((step) => step.startsWith('add WAITERS'))).toEqual(['add WAITERS 1', 'add WAITERS -1']);
  });

  it('clears the request that was made to the holder before', () => {
    expect(acquire({ 'load DROP_REQUEST': 1 })).toContain('store DROP_REQUEST 0');
  });
});

describe('release', () => {
  it('that nobody waits for is a store and two looks', () => {
    expect(release({})).toEqual(['store LOCKED 0', 'load WAITERS', 'load DROP_REQUEST']);
  });

  it('wakes one waiter', () => {
    expect(release({ 'load WAITERS': 3 })).toEqual([
      'store LOCKED 0',
      'load WAITERS',
      'notify LOCKED 1',
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
