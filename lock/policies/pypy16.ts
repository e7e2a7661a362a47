/**
 * PyPy 1.6 (2011): the row of 6,689 seconds, "there was a bug".
 *
 * The lock and the rule are those of CPython 2.7. But compiled loops count down far more slowly than bytecodes: a short loop
 * checks once in 10,000 iterations. A waiter's chances, each as slight as before, now come hundreds of microseconds apart
 * instead of four, and an I/O thread loses for hundreds of milliseconds on end.
 *
 * Here a loop iteration is a tick. In PyPy it took as many of the 10,000 units as its trace was long: 1 to 100.
 *
 * Source: PyPy 1.6, pypy/module/thread/gil.py and the JIT's action counter, `checkinterval_scaled`. That the rare checks are the
 * bug is inferred from the fix of a week before the talk, which made the yield a forced one.
 */
import { definePolicy } from '../policy.ts';
import py27 from './py27.ts';

export default definePolicy({
  name: 'pypy16',
  summary: 'PyPy 1.6: the same as py27, every 10,000 loop iterations',
  exclusive: true,
  claims: [
    { kind: 'fast-path', acquire: 1, release: 2 },
    { kind: 'single-wake' },
    { kind: 'zero-at-rest', word: 'WAITERS' },
  ],
  words: py27.words,
  options: {
    check: {
      kind: 'count',
      default: 10_000,
      min: 1,
      max: 1_000_000_000,
      summary: 'ticks between two releases',
    },
  },
  rules: py27.rules,
});
