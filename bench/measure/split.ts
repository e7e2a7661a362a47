/** What each round trip was made of: the client's clock laid over the server thread's. */

/** Of the mean round trip: where the two clocks may be further apart, a split would say more of them than of the lock. */
export const MAX_CLOCK_ERROR = 0.1;

/** Of each round trip, in its order; the rest of it was system calls: the kernel, the wire, the client's own. */
export interface Split {
  /** The server's thread wanted the lock. */
  readonly lockWaitNs: number[];
  /** It worked, under the lock. */
  readonly workNs: number[];
}

/** Times of the calls of the server's thread: released, returned, acquired of each in turn, ascending. */
type Calls = Float64Array;

const FIELDS = 3;

/**
 * Splits round trips. A thread is in exactly one state at any time (in a call, waiting for the lock, at work), so what of each state
 * lies between sending and receiving adds up to the round trip.
 *
 * @param sentAtNs when each message was sent, ascending, on the clock of `calls`
 * @param rttNs its round trip; no two overlap
 */
export function splitRoundTrips(sentAtNs: ArrayLike<number>, rttNs: ArrayLike<number>, calls: Calls): Split {
  const split: Split = { lockWaitNs: [], workNs: [] };
  const count = calls.length / FIELDS;
  let first = 0;
  for (let message = 0; message < rttNs.length; message++) {
    const from = sentAtNs[message] as number;
    const to = from + (rttNs[message] as number);
    let lockWaitNs = 0;
    let workNs = 0;
    // A call whose work had ended before this message was sent has nothing in it, nor in a later one.
    while (first + 1 < count && (calls[(first + 1) * FIELDS] as number) <= from) first++;
    for (let n = first; n < count; n++) {
      const at = n * FIELDS;
      if ((calls[at] as number) >= to) break;
      const acquired = calls[at + 2] as number;
      lockWaitNs += overlap(calls[at + 1] as number, acquired, from, to);
      // Of the last call it is not known when its work ended.
      if (n + 1 < count) workNs += overlap(acquired, calls[at + FIELDS] as number, from, to);
    }
    split.lockWaitNs.push(lockWaitNs);
    split.workNs.push(workNs);
  }
  return split;
}

function overlap(from: number, to: number, fromOther: number, toOther: number): number {
  return Math.max(0, Math.min(to, toOther) - Math.max(from, fromOther));
}
