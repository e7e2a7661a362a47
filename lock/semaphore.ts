/**
 * A binary semaphore, as POSIX `sem_t` with the values 0 and 1 is made on Linux: a word, and a count of sleepers that spares the
 * wake-up when there are none. No order among those that wait; and barging: whoever comes first after a post has it, which is most often
 * the thread that posted, since the one that was woken has yet to start running.
 *
 * Source: glibc 2.4 to 2.20, nptl/sysdeps/unix/sysv/linux/sem_wait.c and sem_post.c. (From 2.21 on word and count are one of 64 bits.)
 */
import type { Word } from './memory.ts';
import type { Rules } from './policy.ts';

const FREE = 0;
const HELD = 1;

/** Acquire and release of a policy whose lock is one, in these words. */
export function semaphore(held: Word, waiters: Word): Pick<Rules, 'acquire' | 'release'> {
  return {
    /** `sem_wait`. */
    *acquire(m) {
      if ((yield m.compareExchange(held, FREE, HELD)) === FREE) return;
      yield m.add(waiters, 1);
      // The wait looks at the word itself. One look more before it would be one more moment in which a waiter can find the lock between the
      // release and the acquire of an offer.
      do yield m.wait(held, HELD, Infinity);
      while ((yield m.compareExchange(held, FREE, HELD)) !== FREE);
      yield m.add(waiters, -1);
    },

    /** `sem_post`. */
    *release(m) {
      yield m.store(held, FREE);
      // A waiter counts itself before it looks at the word: either it sees FREE, or it is counted here.
      if ((yield m.load(waiters)) > 0) yield m.notify(held, 1);
    },
  };
}
