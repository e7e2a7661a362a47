import { describe, expect, it } from 'vitest';
import { NOT_EQUAL, WOKEN } from '../../../lock/memory.ts';
import py27 from '../../../lock/policies/py27.ts';
import { scripted } from '../scripted-memory.ts';

const ME = 2;
const FREE = 0;
const HELD = 1;

const { acquire, release } = scripted(py27, { check: 100 }, ME);

const TAKE = `cas HELD ${FREE} ${HELD}`;
const WAIT = `wait HELD ${HELD} Infinity`;

describe('acquire, as sem_wait', () => {
  it('of a free lock is one compare-exchange', () => {
    expect(acquire({ [TAKE]: FREE })).toEqual([TAKE]);
  });

  it('of a lock that is held counts the waiter and sleeps, with no look between that glibc does not have', () => {
    expect(acquire({ [TAKE]: [HELD, FREE], [WAIT]: WOKEN })).toEqual([
      TAKE,
      'add WAITERS 1',
      WAIT,
      TAKE,
      'add WAITERS -1',
    ]);
  });

  it('looks after each sleep, also after one that was none, and sleeps again while others were first', () => {
    const steps = acquire({ [TAKE]: [HELD, HELD, HELD, FREE], [WAIT]: [WOKEN, NOT_EQUAL, WOKEN] });
    expect(steps).toEqual([TAKE, 'add WAITERS 1', WAIT, TAKE, WAIT, TAKE, WAIT, TAKE, 'add WAITERS -1']);
  });
});

describe('release, as sem_post', () => {
  it('frees the lock before it looks for waiters, and makes no call for nobody', () => {
    expect(release({ 'load WAITERS': 0 })).toEqual([`store HELD ${FREE}`, 'load WAITERS']);
  });

  it('wakes one of those that wait', () => {
    expect(release({ 'load WAITERS': 3 })).toEqual([`store HELD ${FREE}`, 'load WAITERS', 'notify HELD 1']);
  });
});
