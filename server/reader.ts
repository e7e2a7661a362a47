/** Reads what the threads of a server's process have counted between two moments. */
import { addCounts, type Counts, countsSince, readCounts, readWaits, WAIT_BUCKETS } from '../lock/counters.ts';
import type { LockState } from '../lock/global-lock.ts';
import { clockOriginNs } from '../net/clock.ts';
import type { ServerReading } from './protocol.ts';

/** The threads whose counters are read, by their numbers under the lock. Threads may be added at any time. */
export interface CountedThreads {
  readonly server: Iterable<number>;
  readonly spinners: Iterable<number>;
}

/** All counters and clocks at one moment. */
interface Snapshot {
  readonly atMs: number;
  readonly cpuNs: number;
  readonly server: Counts;
  readonly spinners: Counts;
  readonly waits: readonly number[];
}

export class Reader {
  readonly #counters: Float64Array;
  readonly #threads: CountedThreads;
  #begun: Snapshot | undefined;

  constructor(state: LockState, threads: CountedThreads) {
    this.#counters = new Float64Array(state.counters);
    this.#threads = threads;
  }

  /** Marks the start. */
  begin(): void {
    this.#begun = this.#snapshot();
  }

  /** When that was, on the machine's clock; 0 if it was not marked. */
  get begunNs(): number {
    return this.#begun === undefined ? 0 : this.#begun.atMs * 1e6 + clockOriginNs();
  }

  /** What happened since. */
  end(): ServerReading {
    if (this.#begun === undefined) throw new Error('end without begin');
    const begun = this.#begun;
    const now = this.#snapshot();
    return {
      durationNs: (now.atMs - begun.atMs) * 1e6,
      cpuNs: now.cpuNs - begun.cpuNs,
      server: countsSince(begun.server, now.server),
      spinners: countsSince(begun.spinners, now.spinners),
      waits: now.waits.map((count, bucket) => count - (begun.waits[bucket] ?? 0)),
    };
  }

  #snapshot(): Snapshot {
    const { user, system } = process.cpuUsage();
    return {
      atMs: performance.now(),
      cpuNs: (user + system) * 1e3,
      server: this.#counts(this.#threads.server),
      spinners: this.#counts(this.#threads.spinners),
      waits: this.#waits(),
    };
  }

  #counts(threads: Iterable<number>): Counts {
    return addCounts([...threads].map((thread) => readCounts(this.#counters, thread)));
  }

  /** The wait histogram of the server's threads together. */
  #waits(): number[] {
    const sum = new Array<number>(WAIT_BUCKETS).fill(0);
    for (const thread of this.#threads.server) {
      for (const [bucket, count] of readWaits(this.#counters, thread).entries())
        sum[bucket] = (sum[bucket] ?? 0) + count;
    }
    return sum;
  }
}
