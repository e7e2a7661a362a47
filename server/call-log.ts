/**
 * When a thread of a server was in a call, waited for the lock, and worked: three times for each call, in shared memory. The bench
 * lays them beside the client's round trips and so knows what each round trip was made of.
 */
import { clockOriginNs } from '../net/clock.ts';

/** Doubles for each call: released, returned, acquired. */
const FIELDS = 3;
/** Calls written so far stand before the first call. */
const HEADER = 1;

/** The times of one call, on the machine's clock (`net/clock.ts`). Work lasts from `acquiredNs` to the next call's `releasedNs`. */
export interface LoggedCall {
  /** The thread was about to release the lock and make the call. */
  readonly releasedNs: number;
  /** The call had returned and the thread went to sleep for the lock; `acquiredNs` if it had it at once. */
  readonly returnedNs: number;
  /** The thread held the lock again. */
  readonly acquiredNs: number;
}

/** Memory for a log of the last `capacity` calls of a thread. */
export function createCallLog(capacity: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((HEADER + capacity * FIELDS) * Float64Array.BYTES_PER_ELEMENT);
  // Touched now, so that the kernel does not have to find pages in the middle of a round trip.
  new Uint8Array(memory).fill(0);
  return memory;
}

/** The log as its thread writes it. */
export class CallLog {
  readonly #log: Float64Array<SharedArrayBuffer>;
  readonly #capacity: number;
  readonly #originNs = clockOriginNs();

  constructor(memory: SharedArrayBuffer) {
    this.#log = new Float64Array(memory);
    this.#capacity = (this.#log.length - HEADER) / FIELDS;
  }

  /** Notes a call. The times are the thread's `performance.now()`, in milliseconds. */
  record(releasedMs: number, returnedMs: number, acquiredMs: number): void {
    const log = this.#log;
    const written = log[0] as number;
    const at = HEADER + (written % this.#capacity) * FIELDS;
    log[at] = releasedMs * 1e6 + this.#originNs;
    log[at + 1] = returnedMs * 1e6 + this.#originNs;
    log[at + 2] = acquiredMs * 1e6 + this.#originNs;
    log[0] = written + 1;
  }
}

/** The calls in a log, oldest first, while its thread does not write. */
export function readCallLog(memory: SharedArrayBuffer): LoggedCall[] {
  const log = new Float64Array(memory);
  const capacity = (log.length - HEADER) / FIELDS;
  const written = log[0] as number;
  const calls: LoggedCall[] = [];
  for (let n = Math.max(0, written - capacity); n < written; n++) {
    const [releasedNs, returnedNs, acquiredNs] = log.subarray(HEADER + (n % capacity) * FIELDS) as unknown as [
      number,
      number,
      number,
    ];
    calls.push({ releasedNs, returnedNs, acquiredNs });
  }
  return calls;
}
