/**
 * A binary semaphore, as POSIX `sem_t` with the values 0 and 1 is made on Linux (glibc): a word, and a count of sleepers that
 * spares the wake-up when there are none. No order among those that wait; and barging: whoever comes first after a post has it,
 * which is most often the thread that posted, since the one that was woken has yet to start running.
 */
import type { Memory, Steps, Word } from './memory.ts';

const FREE = 0;
const HELD = 1;

/** `sem_wait`. */
export function* semaphoreWait(m: Memory, held: Word, waiters: Word): Steps {
  if ((yield m.compareExchange(held, FREE, HELD)) === FREE) return;
  yield m.add(waiters, 1);
  while ((yield m.compareExchange(held, FREE, HELD)) !== FREE) yield m.wait(held, HELD, Infinity);
  yield m.add(waiters, -1);
}

/** `sem_post`. */
export function* semaphorePost(m: Memory, held: Word, waiters: Word): Steps {
  yield m.store(held, FREE);
  // A waiter counts itself before it looks at the word: either it sees FREE, or it is counted here.
  if ((yield m.load(waiters)) > 0) yield m.notify(held, 1);
}
