/**
 * No lock: every thread runs whenever the operating system lets it.
 *
 * The floor that every other policy is held against, as the free-threaded builds of CPython 3.13 and later are the floor of
 * what its scheduling costs. Nothing is claimed here about the price those builds pay per object (PEP 703): only the lock is gone.
 */
import { definePolicy } from '../policy.ts';

export default definePolicy({
  name: 'free-threaded',
  summary: 'no lock at all: the floor',
  exclusive: false,
  words: {},
  options: {},
  rules() {
    return {
      *acquire() {},
      *release() {},
      yieldPoint: { kind: 'never' },
    };
  },
});
