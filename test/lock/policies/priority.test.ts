import { describe, expect, it } from 'vitest';
import { layOut, TIMED_OUT, WOKEN } from '../../../lock/memory.ts';
import priority from '../../../lock/policies/priority.ts';
import { ScriptedMemory } from '../scripted-memory.ts';

const INTERVAL_NS = 5_000_000;
const ME = 2;
const OTHER = 1;
/** LOCKED when a thread of priority −1, 0 or 1 holds it. */
const LOW = 1;
const NORMAL = 2;
const HIGH = 3;

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

const TAKE = `cas LOCKED 0 ${NORMAL}`;
const WAIT = `wait GATE_NORMAL 0 ${INTERVAL_NS}`;
const ASK = 'store DROP_REQUEST 1';

describe('acquire', () => {
  it('leaves a free lock alone while a thread of higher priority waits for it', () => {
    const steps = thread().acquire({ 'load WAITING_HIGH': [1, 1, 0] });
    expect(steps.indexOf(TAKE)).toBeGreaterThan(steps.indexOf(WAIT));
  });

  it('does not mind those of its own priority and below', () => {
    const steps = thread().acquire({ 'load WAITING_LOW': 1, 'load WAITING_NORMAL': 1 });
    expect(steps.slice(0, 2)).toEqual(['load WAITING_HIGH', TAKE]);
  });

  it('asks a holder of lower priority at once', () => {
    const steps = thread().acquire({ [TAKE]: [LOW, LOW, 0], 'load LOCKED': LOW, [WAIT]: WOKEN });
    expect(steps.indexOf(ASK)).toBeGreaterThan(0);
    expect(steps.indexOf(ASK)).toBeLessThan(steps.indexOf(WAIT));
  });

  it('asks one of its own priority after an interval without a switch', () => {
    const answers = { [TAKE]: [NORMAL, NORMAL, 0], 'load LOCKED': NORMAL, [WAIT]: TIMED_OUT, 'load SWITCH_NUMBER': 7 };
    const steps = thread().acquire(answers);
    expect(steps.indexOf(ASK)).toBeGreaterThan(steps.indexOf(WAIT));
  });

  it('does not when the lock changed hands meanwhile', () => {
    const answers = {
      [TAKE]: [NORMAL, NORMAL, 0],
      'load LOCKED': NORMAL,
      [WAIT]: TIMED_OUT,
      'load SWITCH_NUMBER': [7, 8],
    };
    expect(thread().acquire(answers)).not.toContain(ASK);
  });

  it('does not when another than at first holds it, or nobody', () => {
    for (const now of [0, HIGH]) {
      const answers = { [TAKE]: [NORMAL, NORMAL, 0], 'load LOCKED': [NORMAL, now], [WAIT]: TIMED_OUT };
      expect(thread().acquire(answers)).not.toContain(ASK);
    }
  });

  it('never asks one of higher priority', () => {
    const answers = { [TAKE]: [HIGH, HIGH, 0], 'load LOCKED': HIGH, [WAIT]: TIMED_OUT };
    expect(thread().acquire(answers)).not.toContain(ASK);
  });

  it('by another thread counts a switch, then says who holds it, then tells the thread that was forced off', () => {
    const steps = thread().acquire({ 'load LAST_HOLDER': OTHER });
    expect(steps.slice(-4)).toEqual([
      'add SWITCH_NUMBER 1',
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
    expect(thread().release({})[0]).toBe('store LOCKED 0');
  });
});

describe('a change of priority', () => {
  it('is told in LOCKED, and to every waiter', () => {
    expect(thread().setPriority(-1)).toEqual([
      `store LOCKED ${LOW}`,
      ...['GATE_LOW', 'GATE_NORMAL', 'GATE_HIGH'].flatMap((gate) => [`add ${gate} 1`, `notify ${gate} Infinity`]),
    ]);
  });

  it('is kept: a thread of −1 waits at its own gate, and lets those of 0 go first', () => {
    const steps = thread(-1).acquire({ 'load WAITING_NORMAL': [1, 1, 0] });
    expect(steps).toContain(`wait GATE_LOW 0 ${INTERVAL_NS}`);
    expect(steps).toContain(`cas LOCKED 0 ${LOW}`);
  });

  it('ends at the highest and lowest there is', () => {
    expect(thread().setPriority(99)[0]).toBe(`store LOCKED ${HIGH}`);
    expect(thread().setPriority(-99)[0]).toBe(`store LOCKED ${LOW}`);
  });
});
