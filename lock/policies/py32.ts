/**
 * CPython 3.2 to 3.14: the "new GIL".
 *
 * LOCK says whether the lock is held and how often it has changed hands. A thread that wants it sleeps on it for one switch interval
 * (5 ms). If that time passes and LOCK still says the same, the thread asks the holder to give it up: it sets DROP_REQUEST,
 * which the holder looks at on every yield point. If the lock did change hands, however briefly, the wait starts afresh with a
 * whole interval.
 *
 * A holder that releases while a request is pending, at a yield point or before a call of its own, does not come back until
 * another thread has had the lock (forced switching). Without that, on several CPUs, the holder would take the lock again before
 * the thread it woke has started to run: the fate of py27.
 *
 * What it does not guarantee: that the thread that asked is the one that gets the lock; that a holder gives it up within any
 * time, since one tick may be long; and anything at all to a thread that comes back from a short call and finds a spinner
 * running, which waits a whole interval each time. That is the convoy effect (bpo-7946).
 *
 * Source: CPython 3.2, Python/ceval_gil.h, take_gil and drop_gil. Four differences of form. There `locked` and `switch_number` are
 * guarded by a mutex and a condition variable; here a compare-exchange decides and futex-like waiting replaces both, with WAITERS to
 * spare the notify when nobody sleeps, as glibc's condition variables do. For want of the mutex the two are one word: a waiter that
 * saw the lock held and the switch not yet counted would take it for a second one, and wait two intervals instead of one. And
 * drop_gil clears the request before it waits to be switched; here the thread that takes the lock clears it, which take_gil does
 * anyway: to clear it in release, outside a mutex, could erase a request that was made to the next holder.
 *
 * The fourth: there a thread asks with the mutex held, which it gives up as it falls asleep, so that whoever drops the lock wakes a
 * sleeper, and sleeps itself before that one has come round: long enough for a call or two. Here the holder sees the request at once;
 * so it looks for the sleeper first, a few times and not for ever, since a thread that asked may have lost its CPU. Without that the
 * two hand over without sleep, and a message loses the lock twice far more often than CPython's (docs/METHOD.md).
 */
import { TIMED_OUT } from '../memory.ts';
import { definePolicy } from '../policy.ts';

/** What is added to LOCK to hold it, and for a switch. */
const HELD = 1;
const SWITCH = 2;

/** Looks at whether the thread that asked is asleep: some 10 µs. */
const ASLEEP_AFTER = 16;

export default definePolicy({
  name: 'py32',
  summary: 'CPython 3.2 and later: ask after 5 ms, forced switch',
  exclusive: true,
  claims: [
    { kind: 'forced-switch' },
    { kind: 'timed-request' },
    { kind: 'patient-request' },
    { kind: 'fast-path', acquire: 5, release: 4 },
    { kind: 'single-wake' },
    { kind: 'zero-at-rest', word: 'WAITERS' },
    { kind: 'zero-at-rest', word: 'DROP_REQUEST' },
  ],
  words: {
    LOCK: 'odd when it is held; half of it, rounded down, is how many times LAST_HOLDER changed, modulo 2^31',
    WAITERS: 'how many threads are in acquire and did not find the lock free',
    DROP_REQUEST: '1: a waiter waited a whole interval; cleared by whoever takes the lock next',
    LAST_HOLDER: 'number of the thread that holds the lock or held it last; 0 before the first',
  },
  options: {
    interval: {
      kind: 'duration',
      default: 5_000_000,
      min: 1_000,
      max: 10_000_000_000,
      summary: 'how long a thread waits before it asks: sys.setswitchinterval',
    },
  },
  rules({ LOCK, WAITERS, DROP_REQUEST, LAST_HOLDER }, { interval }) {
    return {
      *acquire(m, me) {
        let waiting = false;
        for (;;) {
          const lock = yield m.load(LOCK);
          if ((lock & HELD) === 0) {
            const switches = (yield m.load(LAST_HOLDER)) === me ? 0 : SWITCH;
            if ((yield m.compareExchange(LOCK, lock, (lock + HELD + switches) | 0)) === lock) break;
          } else if (!waiting) {
            waiting = true;
            yield m.add(WAITERS, 1);
          } else {
            const outcome = yield m.wait(LOCK, lock, interval);
            if (outcome === TIMED_OUT && (yield m.load(LOCK)) === lock) yield m.store(DROP_REQUEST, 1);
          }
        }
        if (waiting) yield m.add(WAITERS, -1);
        if ((yield m.load(LAST_HOLDER)) !== me) {
          yield m.store(LAST_HOLDER, me);
          // Only now may the thread that was forced off go on: it waits for LAST_HOLDER to change.
          yield m.notify(LAST_HOLDER, Infinity);
        }
        if ((yield m.load(DROP_REQUEST)) !== 0) yield m.store(DROP_REQUEST, 0);
      },

      *release(m, me) {
        if ((yield m.load(DROP_REQUEST)) !== 0) {
          for (let looks = 0; looks < ASLEEP_AFTER && (yield m.notify(LOCK, 1)) === 0; looks++);
        }
        yield m.add(LOCK, -HELD);
        // A waiter counts itself before it looks at LOCK again: either it sees it free, or it is counted here.
        if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCK, 1);
        if ((yield m.load(DROP_REQUEST)) !== 0) {
          while ((yield m.load(LAST_HOLDER)) === me) yield m.wait(LAST_HOLDER, me, Infinity);
        }
      },

      yieldPoint: { kind: 'requested', word: DROP_REQUEST },
    };
  },
});
