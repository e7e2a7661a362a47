/**
 * CPython 3.2 with thread priorities: what the talk asks for.
 *
 * "Highest priority thread always runs." A thread that wants the lock and finds it with a thread of lower priority asks for it
 * at once, without the wait of an interval. While a thread of higher priority waits, no lower one takes the lock, be it free. Among
 * threads of one priority everything is as in py32: ask after an interval, forced switching. A thread asks nothing of a higher one.
 *
 * LOCK says the holder's priority and how often the lock changed hands together with the fact that it is held, because a waiter that
 * learned of them in several steps could take the previous holder's priority for this one's, and wait out an interval, or for ever.
 *
 * Waiters of each priority sleep at a gate of their own, a number that is counted up to open it. Release opens the highest gate
 * that has waiters, to all of them: those who lose must see whom they wait for now. One gate for all priorities would wake
 * threads only to send them back to sleep.
 *
 * What it does not guarantee: that a low thread ever runs. Two CPU threads of high priority starve all others; the talk says
 * "probably too minimal for real". And a holder of low priority in one long tick keeps a high one waiting (priority inversion).
 *
 * Source: the talk. Its patch is no longer public; the rules above are our reading of the slides, on py32's text.
 */
import { type Memory, type Steps, TIMED_OUT } from '../memory.ts';
import { definePolicy } from '../policy.ts';

const FREE = 0;
/** Priorities −1, 0 and 1 are levels 0, 1 and 2; a thread is born with priority 0. */
const LEVELS = 3;
const NORMAL = 1;
/** The part of LOCK that says who holds it, and what is there when a thread of this level does. */
const HOLDER = 3;
const heldBy = (level: number) => level + 1;
/** What is added to LOCK for a switch. */
const SWITCH = 4;

export default definePolicy({
  name: 'priority',
  summary: 'CPython 3.2 with priorities: the highest always runs',
  exclusive: true,
  claims: [
    { kind: 'forced-switch' },
    { kind: 'timed-request' },
    { kind: 'patient-request' },
    { kind: 'fast-path', acquire: 7, release: 5 },
    { kind: 'priority' },
    { kind: 'zero-at-rest', word: 'WAITING_LOW' },
    { kind: 'zero-at-rest', word: 'WAITING_NORMAL' },
    { kind: 'zero-at-rest', word: 'WAITING_HIGH' },
    { kind: 'zero-at-rest', word: 'DROP_REQUEST' },
  ],
  words: {
    LOCK: 'low two bits: FREE 0, or 1 + the level of the thread that holds it; above, how many times LAST_HOLDER changed',
    DROP_REQUEST: '1: the holder is asked to release; cleared by whoever takes the lock next',
    LAST_HOLDER: 'number of the thread that holds the lock or held it last; 0 before the first',
    WAITING_LOW: 'how many threads of priority −1 are in acquire and have not got it yet',
    WAITING_NORMAL: 'the same of 0',
    WAITING_HIGH: 'the same of 1',
    GATE_LOW: 'counted up when waiters of priority −1 are to try again; they sleep while the number stands',
    GATE_NORMAL: 'the same of 0',
    GATE_HIGH: 'the same of 1',
  },
  options: {
    interval: {
      kind: 'duration',
      default: 5_000_000,
      min: 1_000,
      max: 10_000_000_000,
      summary: 'how long a thread waits before it asks one of its own priority',
    },
  },
  rules(words, { interval }) {
    const { LOCK, DROP_REQUEST, LAST_HOLDER } = words;
    const WAITING = [words.WAITING_LOW, words.WAITING_NORMAL, words.WAITING_HIGH];
    const GATE = [words.GATE_LOW, words.GATE_NORMAL, words.GATE_HIGH];
    let level = NORMAL;

    /** The highest level at which threads wait, or −1. */
    function* highestWaiting(m: Memory): Steps<number> {
      for (let at = LEVELS - 1; at >= 0; at--) if ((yield m.load(WAITING[at] as number)) > 0) return at;
      return -1;
    }

    function* higherWaits(m: Memory): Steps<boolean> {
      for (let at = LEVELS - 1; at > level; at--) if ((yield m.load(WAITING[at] as number)) > 0) return true;
      return false;
    }

    function* take(m: Memory, me: number): Steps<boolean> {
      if (yield* higherWaits(m)) return false;
      const lock = yield m.load(LOCK);
      if ((lock & HOLDER) !== FREE) return false;
      const switches = (yield m.load(LAST_HOLDER)) === me ? 0 : SWITCH;
      return (yield m.compareExchange(LOCK, lock, (lock + heldBy(level) + switches) | 0)) === lock;
    }

    return {
      *acquire(m, me) {
        if (!(yield* take(m, me))) {
          const gate = GATE[level] as number;
          yield m.add(WAITING[level] as number, 1);
          for (;;) {
            // Before the look at the lock: a release after it counts the gate up, and the wait below returns at once.
            const closed = yield m.load(gate);
            if (yield* take(m, me)) break;
            const lock = yield m.load(LOCK);
            const holder = lock & HOLDER;
            if (holder !== FREE && holder < heldBy(level)) yield m.store(DROP_REQUEST, 1);
            const outcome = yield m.wait(gate, closed, interval);
            if (outcome === TIMED_OUT && holder === heldBy(level) && (yield m.load(LOCK)) === lock) {
              yield m.store(DROP_REQUEST, 1);
            }
          }
          yield m.add(WAITING[level] as number, -1);
        }
        if ((yield m.load(LAST_HOLDER)) !== me) {
          yield m.store(LAST_HOLDER, me);
          yield m.notify(LAST_HOLDER, Infinity);
        }
        if ((yield m.load(DROP_REQUEST)) !== 0) {
          yield m.store(DROP_REQUEST, 0);
          // It may have been made to this thread already, by a higher one that counted itself after `take` looked: ask again.
          if (yield* higherWaits(m)) yield m.store(DROP_REQUEST, 1);
        }
      },

      *release(m, me) {
        yield m.add(LOCK, -heldBy(level));
        const next = yield* highestWaiting(m);
        if (next >= 0) {
          yield m.add(GATE[next] as number, 1);
          yield m.notify(GATE[next] as number, Infinity);
        }
        if ((yield m.load(DROP_REQUEST)) !== 0) {
          while ((yield m.load(LAST_HOLDER)) === me) yield m.wait(LAST_HOLDER, me, Infinity);
        }
      },

      *setPriority(m, _me, priority) {
        const before = level;
        level = Math.min(LEVELS - 1, Math.max(0, NORMAL + priority));
        yield m.add(LOCK, level - before);
        // Who went to sleep on the priority that was must look again.
        for (const gate of GATE) {
          yield m.add(gate, 1);
          yield m.notify(gate, Infinity);
        }
      },

      yieldPoint: { kind: 'requested', word: DROP_REQUEST },
    };
  },
});
