/**
 * CPython 3.2 to 3.14: the "new GIL".
 *
 * The lock is a boolean, LOCKED. A thread that wants it sleeps on it for one switch interval (5 ms). If that time passes and
 * the lock never changed hands meanwhile, the thread asks the holder to give it up: it sets DROP_REQUEST, which the holder
 * looks at on every yield point. If the lock did change hands, however briefly, the wait starts afresh with a whole interval.
 *
 * A holder that releases while a request is pending, at a yield point or before a call of its own, does not come back until
 * another thread has had the lock (forced switching). Without that, on several CPUs, the holder would take the lock again before
 * the thread it woke has started to run: the fate of py27.
 *
 * What it does not guarantee: that the thread that asked is the one that gets the lock; that a holder gives it up within any
 * time, since one tick may be long; and anything at all to a thread that comes back from a short call and finds a spinner
 * running, which waits a whole interval each time. That is the convoy effect (bpo-7946).
 *
 * Source: CPython 3.2, Python/ceval_gil.h, take_gil and drop_gil. Two differences of form. There the boolean is guarded by a
 * mutex and a condition variable; here the compare-exchange decides and futex-like waiting replaces both, with WAITERS to spare
 * the notify when nobody sleeps, as glibc's condition variables do. And drop_gil clears the request before it waits to be
 * switched; here the thread that takes the lock clears it, which take_gil does anyway: to clear it in release, outside a mutex,
 * could erase a request that was made to the next holder.
 */
import { TIMED_OUT } from '../memory.ts';
import { definePolicy } from '../policy.ts';

const FREE = 0;
const HELD = 1;

export default definePolicy({
  name: 'py32',
  summary: 'CPython 3.2 and later: ask after 5 ms, forced switch',
  exclusive: true,
  claims: [
    { kind: 'forced-switch' },
    { kind: 'timed-request' },
    { kind: 'patient-request' },
    { kind: 'fast-path', acquire: 3, release: 3 },
    { kind: 'single-wake' },
    { kind: 'zero-at-rest', word: 'WAITERS' },
    { kind: 'zero-at-rest', word: 'DROP_REQUEST' },
  ],
  words: {
    LOCKED: 'FREE 0, HELD 1',
    WAITERS: 'how many threads are in acquire and did not find the lock free',
    DROP_REQUEST: '1: a waiter waited a whole interval; cleared by whoever takes the lock next',
    LAST_HOLDER: 'number of the thread that holds the lock or held it last; 0 before the first',
    SWITCH_NUMBER: 'how many times LAST_HOLDER changed, modulo 2^32',
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
  rules({ LOCKED, WAITERS, DROP_REQUEST, LAST_HOLDER, SWITCH_NUMBER }, { interval }) {
    return {
      *acquire(m, me) {
        if ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
          yield m.add(WAITERS, 1);
          while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
            const switches = yield m.load(SWITCH_NUMBER);
            const outcome = yield m.wait(LOCKED, HELD, interval);
            if (
              outcome === TIMED_OUT &&
              (yield m.load(LOCKED)) === HELD &&
              (yield m.load(SWITCH_NUMBER)) === switches
            ) {
              yield m.store(DROP_REQUEST, 1);
            }
          }
          yield m.add(WAITERS, -1);
        }
        if ((yield m.load(LAST_HOLDER)) !== me) {
          yield m.add(SWITCH_NUMBER, 1);
          yield m.store(LAST_HOLDER, me);
          // Only now may the thread that was forced off go on: it waits for LAST_HOLDER to change.
          yield m.notify(LAST_HOLDER, Infinity);
        }
        if ((yield m.load(DROP_REQUEST)) !== 0) yield m.store(DROP_REQUEST, 0);
      },

      *release(m, me) {
        yield m.store(LOCKED, FREE);
        // A waiter counts itself before it looks at LOCKED: either it sees FREE, or it is counted here.
        if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCKED, 1);
        if ((yield m.load(DROP_REQUEST)) !== 0) {
          while ((yield m.load(LAST_HOLDER)) === me) yield m.wait(LAST_HOLDER, me, Infinity);
        }
      },

      yieldPoint: { kind: 'requested', word: DROP_REQUEST },
    };
  },
});
