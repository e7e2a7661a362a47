/** The CPU threads of a server's process, in a pool of their own: started, measured while nothing else runs, and ended by being told. */
import { setTimeout as delay } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { COUNTER, DOUBLES_PER_THREAD } from '../lock/counters.ts';
import type { LockState } from '../lock/global-lock.ts';
import type { ThreadSetup } from '../lock/thread-setup.ts';
import type { SpinSetup } from './protocol.ts';
import type { SpinnerTask } from './thread-messages.ts';

const SPINNER = new URL('../workers/spinner.js', import.meta.url).href;

/** Time for the engine to compile the spinner's code, before what it gets alone is measured. */
const WARMUP_MS = 100;
const SOLO_MS = 150;

export class CpuThreads {
  /** Their numbers under the lock. */
  readonly numbers = new Set<number>();
  readonly #state: LockState;
  readonly #counters: Float64Array;
  readonly #onFailure: (why: string) => void;
  readonly #stopWord = new SharedArrayBuffer(4);
  #pool: Piscina | undefined;
  #spinning: Promise<unknown> = Promise.resolve();
  #stopping = false;

  /** @param onFailure is told why, for each that ends before it was told to: it may have held the lock */
  constructor(state: LockState, onFailure: (why: string) => void) {
    this.#state = state;
    this.#counters = new Float64Array(state.counters);
    this.#onFailure = onFailure;
  }

  /** Starts them and lets them warm up. */
  async spin({ spinners, kind, priority }: SpinSetup, setupThread: () => ThreadSetup): Promise<void> {
    const pool = new Piscina({
      filename: SPINNER,
      minThreads: spinners,
      maxThreads: spinners,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
    });
    this.#pool = pool;
    const tasks = Array.from({ length: spinners }, () => {
      const setup = setupThread();
      this.numbers.add(setup.thread);
      new Uint8Array(this.#state.spinners)[setup.thread] = 1;
      return pool.run({ setup, kind, priority, stop: this.#stopWord } satisfies SpinnerTask).then(
        () => {
          if (!this.#stopping) this.#onFailure('a CPU thread ended before it was told to');
        },
        (error: unknown) => this.#onFailure(`a CPU thread failed: ${error instanceof Error ? error.message : error}`),
      );
    });
    this.#spinning = Promise.all(tasks);
    await this.#whileSpinning(async () => {
      while (this.#rounds() === 0 && !this.#stopping) await delay(1);
      await delay(WARMUP_MS);
    });
  }

  /** How many rounds of work a second they do together; to be asked while the server is idle. */
  solo(): Promise<number> {
    return this.#whileSpinning(async () => {
      const fromMs = performance.now();
      const fromRounds = this.#rounds();
      await delay(SOLO_MS);
      return (this.#rounds() - fromRounds) / ((performance.now() - fromMs) / 1e3);
    });
  }

  /** Tells them to end, and waits until they have. */
  async stop(): Promise<void> {
    this.#stopping = true;
    Atomics.store(new Int32Array(this.#stopWord), 0, 1);
    await this.#spinning;
    await this.#pool?.destroy();
  }

  /** Ends them whatever they do. */
  terminate(): void {
    void this.#pool?.destroy();
  }

  /** @throws Error if one ends meanwhile */
  #whileSpinning<T>(wait: () => Promise<T>): Promise<T> {
    const ended = this.#spinning.then(() => {
      throw new Error('the CPU threads have ended');
    });
    return Promise.race([wait(), ended]);
  }

  #rounds(): number {
    let rounds = 0;
    for (const thread of this.numbers) rounds += this.#counters[thread * DOUBLES_PER_THREAD + COUNTER.rounds] ?? 0;
    return rounds;
  }
}
