import { describe, expect, it } from 'vitest';
import { layOut, TIMED_OUT, WOKEN } from '../../../lock/memory.ts';
import priority from '../../../lock/policies/priority.ts';
import { ScriptedMemory } from '../scripted-memory.ts';

const INTERVAL_NS = 5_000_000;
const ME = 2;
const OTHER = 1;
/** The low bits of LOCK when a thread of priority −1, 0 or 1 holds it. */
const LOW = 1;
const NORMAL = 2;
const HIGH = 3;
/** What a switch adds to LOCK. */
const SWITCH = 4;

type Answers = Readonly<Record<string, number | readonly number[]>>;

/** A thread's rules, and the thread's life so far: its priority is its own. */
function thread(own = 0) {
  const rules = priority.rules(layOut(priority.words), { interval: INTERVAL_NS });
  const m = new ScriptedMemory(priority);
  const setPriority = (to: number) => {
    if (rules.setPriority === undefined) throw new Error('priority knows priorities');
    return m.run(rules.setPriority(m, ME, to), {});
  };
  if (own !== 0) setPriority(own);
  return {
    acquire: (answers: Answers) => m.run(rules.acquire(m, ME), answers),
    release: (answers: Answers) => m.run(rules.release(m, ME), answers),
    setPriority,
  };
}

const TAKE = `cas LOCK 0 ${NORMAL + SWITCH}`;
/** What a thread sees that does not get the lock: when it would take it, again as a waiter, and when it looks whose it is. */
const heldThrice = (lock: number) => [lock, lock, lock];
const WAIT = `wait GATE_NORMAL 0 ${INTERVAL_NS}`;
const ASK = 'store DROP_REQUEST 1';

describe('acquire', () => {
  it('leaves a free lock alone while a thread of higher priority waits for it', () => {
    const steps = thread().acquire({ 'load WAITING_HIGH': [1, 1, 0] });
    expect(steps.indexOf(TAKE)).toBeGreaterThan(steps.indexOf(WAIT));
  });

  it('does not mind those of its own priority and below', () => {
    const steps = thread().acquire({ 'load WAITING_LOW': 1, 'load WAITING_NORMAL': 1 });
    expect(steps.slice(0, 4)).toEqual(['load WAITING_HIGH', 'load LOCK', 'load LAST_HOLDER', TAKE]);
  });

  it('asks a holder of lower priority at once', () => {
    const steps = thread().acquire({ 'load LOCK': [...heldThrice(LOW), 0], [WAIT]: WOKEN });
    expect(steps.indexOf(ASK)).toBeGreaterThan(0);
    expect(steps.indexOf(ASK)).toBeLessThan(steps.indexOf(WAIT));
  });

  it('asks one of its own priority after an interval without a switch', () => {
    const steps = thread().acquire({ 'load LOCK': [...heldThrice(NORMAL), NORMAL, 0], [WAIT]: TIMED_OUT });
    expect(steps.indexOf(ASK)).toBeGreaterThan(steps.indexOf(WAIT));
  });

  it('does not when the lock changed hands meanwhile', () => {
    const answers = { 'load LOCK': [...heldThrice(NORMAL), NORMAL + SWITCH, 0], [WAIT]: TIMED_OUT };
    expect(thread().acquire(answers)).not.toContain(ASK);
  });

  it('does not when another than at first holds it, or nobody', () => {
    for (const now of [0, HIGH]) {
      const answers = { 'load LOCK': [...heldThrice(NORMAL), now, 0], [WAIT]: TIMED_OUT };
      expect(thread().acquire(answers)).not.toContain(ASK);
    }
  });

  it('never asks one of higher priority', () => {
    const answers = { 'load LOCK': [...heldThrice(HIGH), 0], [WAIT]: TIMED_OUT };
    expect(thread().acquire(answers)).not.toContain(ASK);
  });

  it('by another thread counts a switch as it takes the lock, says who holds it, tells the thread that was forced off', () => {
    const steps = thread().acquire({ 'load LAST_HOLDER': OTHER });
    expect(steps.slice(-5)).toEqual([
      TAKE,
      'load LAST_HOLDER',
      `store LAST_HOLDER ${ME}`,
      'notify LAST_HOLDER Infinity',
      'load DROP_REQUEST',
    ]);
  });

  it('asks again when the request it clears was made to itself', () => {
    const steps = thread().acquire({ 'load DROP_REQUEST': 1, 'load WAITING_HIGH': [0, 1] });
    expect(steps.slice(-3)).toEqual(['store DROP_REQUEST 0', 'load WAITING_HIGH', ASK]);
  });
});

describe('release', () => {
  it('opens the highest gate that has waiters, to all of them, and no other', () => {
    const steps = thread().release({ 'load WAITING_NORMAL': 2, 'load WAITING_LOW': 1 });
    expect(steps.filter((step) => /GATE/.test(step))).toEqual(['add GATE_NORMAL 1', 'notify GATE_NORMAL Infinity']);
  });

  it('frees the lock before it looks who waits', () => {
    expect(thread().release({})[0]).toBe(`add LOCK -${NORMAL}`);
  });
});

describe('a change of priority', () => {
  it('is told in LOCK, and to every waiter', () => {
    expect(thread().setPriority(-1)).toEqual([
      `add LOCK ${LOW - NORMAL}`,
      ...['GATE_LOW', 'GATE_NORMAL', 'GATE_HIGH'].flatMap((gate) => [`add ${gate} 1`, `notify ${gate} Infinity`]),
    ]);
  });

  it('is kept: a thread of −1 waits at its own gate, and lets those of 0 go first', () => {
    const steps = thread(-1).acquire({ 'load WAITING_NORMAL': [1, 1, 0] });
    expect(steps).toContain(`wait GATE_LOW 0 ${INTERVAL_NS}`);
    expect(steps).toContain(`cas LOCK 0 ${LOW + SWITCH}`);
  });

  it('ends at the highest and lowest there is', () => {
    expect(thread().setPriority(99)[0]).toBe(`add LOCK ${HIGH - NORMAL}`);
    expect(thread().setPriority(-99)[0]).toBe(`add LOCK ${LOW - NORMAL}`);
  });
});
