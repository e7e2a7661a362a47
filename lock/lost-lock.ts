/**
 * A lock that is lost: the thread that held it is dead, or its policy has thrown, and nobody knows in what state the words are.
 *
 * POSIX lets the next thread that locks a robust mutex have it, with EOWNERDEAD, since it knows what the mutex looks like. A policy's words
 * mean what the policy says, so that here nobody gets the lock any more: whoever waits for it is woken and told ({@link LockLost}), and
 * so is whoever comes later and would have to wait.
 *
 * The race: a thread looks whether the lock is lost, finds that it is not, and is about to sleep. To wake all sleepers now would not wake
 * that one. So the waking is repeated until every thread is known to have ended; each is woken once more after it has gone to sleep, and
 * then looks again. No thread has to look but when it sleeps, and a lock that is not lost costs nothing.
 */
import type { LockState } from './global-lock.ts';
import { Futexes } from './machines/futex.ts';
import { INTS_PER_WORD } from './memory.ts';

/** There is no lock any more. Thrown out of acquire and release; the thread then neither holds it nor may release it. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
}

/** How often who sleeps is woken. */
const WAKE_EVERY_MS = 10;

/**
 * Tells every thread that the lock is lost. Called by a thread that takes no part in it, and whose event loop runs.
 *
 * @returns what ends the waking; called when every thread has ended
 */
export function loseLock({ words, lost }: LockState): () => void {
  const policyWords = new Int32Array(words);
  const futexes = new Futexes(policyWords);
  Atomics.store(new Int32Array(lost), 0, 1);
  const wake = () => {
    for (let word = 0; word < policyWords.length; word += INTS_PER_WORD) futexes.wake(word, Infinity);
  };
  wake();
  const timer = setInterval(wake, WAKE_EVERY_MS);
  return () => clearInterval(timer);
}
