/**
 * Explorations spread over the CPUs, each in a thread that can be ended: a policy under test may loop without a yield, or block, and
 * nothing but the end of its thread stops that.
 */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import type { CheckAnswer, CheckJob, CheckTask } from '../../workers/checker.ts';
import { createHeart, HeartMonitor } from '../../workers/heart.ts';
import { SIGNALS } from '../run/interrupts.ts';

const CHECKER = new URL('../../workers/checker.js', import.meta.url).href;

/** A policy's own code between two steps takes microseconds. If it takes this long, it does not come back. */
const STUCK_MS = 3_000;

/** How a job ended. */
export type Ended<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'interrupted' }
  /** The policy's code did not come back; `where` says from which piece, after how many steps. */
  | { readonly kind: 'stuck'; readonly where: string }
  | { readonly kind: 'out of memory' };

/** Runs jobs until the pool is ended. */
export class CheckPool {
  readonly #pool = new Piscina({
    filename: CHECKER,
    minThreads: 1,
    maxThreads: availableParallelism(),
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
  });
  readonly #interrupt = new AbortController();

  /** Does a job. */
  async run<Job extends CheckJob>(policy: PolicySpec, job: Job): Promise<Ended<CheckAnswer<Job['kind']>>> {
    const heart = createHeart();
    const monitor = new HeartMonitor(heart);
    const stop = new AbortController();
    let where: string | undefined;
    const look = setInterval(() => {
      where ??= monitor.stuck();
      if (where !== undefined) stop.abort();
    }, STUCK_MS);
    const signal = AbortSignal.any([stop.signal, this.#interrupt.signal]);
    try {
      const answer = await this.#pool.run({ policy, job, heart } satisfies CheckTask, { signal });
      return { kind: 'answered', answer: answer as CheckAnswer<Job['kind']> };
    } catch (error) {
      if (where !== undefined) return { kind: 'stuck', where };
      if (this.#interrupt.signal.aborted) return { kind: 'interrupted' };
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') return { kind: 'out of memory' };
      throw error;
    } finally {
      clearInterval(look);
    }
  }

  /**
   * Does some work, which a signal to the process cuts short: what runs is ended, what is finished stays.
   *
   * @returns whether that happened
   */
  async interruptible(work: () => Promise<unknown>): Promise<boolean> {
    const interrupt = () => this.#interrupt.abort();
    for (const signal of SIGNALS) process.on(signal, interrupt);
    try {
      await work();
    } finally {
      for (const signal of SIGNALS) process.off(signal, interrupt);
    }
    return this.#interrupt.signal.aborted;
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}
