/**
 * CPython 2.x: the "old GIL".
 *
 * The lock is a semaphore. Every 100 ticks the thread that runs releases it and takes it again at once, whether or not anybody
 * waits; nothing tells it. The ticks are counted for all threads together (`_Py_Ticker`).
 *
 * Each of those moments is a chance for a waiter, and with several CPUs mostly a lost one: the waiter is woken, but the releaser
 * has the lock back before the waiter runs. The chances come every few microseconds, so an I/O thread soon wins one: the talk's
 * 1.3×. What that costs is the wake-ups that fail, the "GIL battle" of 2010, and there is no bound on how long one can lose.
 *
 * Source: CPython 2.7.2, Python/ceval.c (the check of _Py_Ticker) and Python/thread_pthread.h (USE_SEMAPHORES). Not modelled: on
 * systems without POSIX semaphores the same lock was made of a mutex and a condition variable.
 */
import { definePolicy } from '../policy.ts';
import { semaphore } from '../semaphore.ts';

export default definePolicy({
  name: 'py27',
  summary: 'CPython 2.x: release and re-acquire every 100 ticks, barging',
  exclusive: true,
  claims: [
    { kind: 'fast-path', acquire: 1, release: 2 },
    { kind: 'single-wake' },
    { kind: 'zero-at-rest', word: 'WAITERS' },
  ],
  words: {
    HELD: 'the semaphore: 0 free, 1 held',
    WAITERS: 'how many threads are in acquire and did not find it free',
  },
  options: {
    check: {
      kind: 'count',
      default: 100,
      min: 1,
      max: 1_000_000_000,
      summary: 'ticks between two releases: sys.setcheckinterval',
    },
  },
  rules({ HELD, WAITERS }, { check }) {
    return { ...semaphore(HELD, WAITERS), yieldPoint: { kind: 'ticks', every: check } };
  },
});
