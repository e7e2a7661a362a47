/** Measured rounds to calibrate by, in which the locks of interpreters are counted, and what is kept of them that no result has. */
import { UsageError } from '../exit-codes.ts';
import { measure } from '../measure/measure.ts';
import type { MeasureSetup, ServerEnd } from '../measure/server-side.ts';
import type { Column, Workload } from '../result/result.ts';
import { TALK_WORKLOAD } from '../result/talk-workload.ts';
import { interruptible } from '../run/interrupts.ts';
import { type PlannedCell, planCells, planRounds } from '../run/plan.ts';
import { Progress } from '../run/progress.ts';
import { measureLeafAloneNs } from '../run/run.ts';
import { withLockCounter } from './lock-counter.ts';

/** What is fitted on this server must hold for the others unseen. */
export const SERVER = 'blocking';
const SEED = 1;

/** The talk's messages, without interpreter work of ours but what is tried: what is calibrated is that work. */
const WORKLOAD: Omit<Workload, 'messages'> = {
  ...TALK_WORKLOAD,
  // Until the engine has compiled our driver: with 100 its work between two calls is three times as long.
  warmupMessages: 1_000,
  budgetNs: 10e9,
  interpreterCostNs: 0,
};

/** How much is measured. */
export interface CalibrationSize {
  readonly rounds: number;
  /** In each round. */
  readonly messages: number;
}

/** What is not kept in a result of a measured round. */
export interface Sample {
  readonly cell: PlannedCell;
  readonly end: ServerEnd;
}

/** Does work for which locks of interpreters must be counted. Returns what it returns; `interrupted` if it was. */
export async function whileItCounts<Result>(
  messages: number,
  progress: Progress,
  work: (setup: MeasureSetup, interrupted: AbortSignal, killed: AbortSignal) => Promise<Result>,
): Promise<Result | 'interrupted'> {
  const leafNs = measureLeafAloneNs();
  return withLockCounter(async (lockCounter) => {
    if (lockCounter === null)
      throw new UsageError('calibrate needs a C compiler (cc), to see the lock of an interpreter');
    const setup = { workload: { ...WORKLOAD, messages }, leafNs, lockCounter, records: false };
    return interruptible(progress, async (interrupted, killed) => {
      try {
        const result = await work(setup, interrupted, killed);
        return interrupted.aborted ? 'interrupted' : result;
      } catch (error) {
        if (interrupted.aborted) return 'interrupted';
        throw error;
      } finally {
        progress.end();
      }
    });
  });
}

/**
 * Measures the columns on one server, unloaded and loaded, in rounds.
 *
 * @returns a sample for each cell and round that was measured; `interrupted` if it was
 */
export async function measureAll(
  columns: readonly Column[],
  { rounds, messages }: CalibrationSize,
): Promise<Sample[] | 'interrupted'> {
  const steps = planRounds(planCells([SERVER], columns, ['loaded']), rounds, SEED);
  const progress = new Progress(steps.length, process.stderr);
  const samples: Sample[] = [];
  return whileItCounts(messages, progress, async (setup, interrupted, killed) => {
    for (const step of steps) {
      const ends: ServerEnd[] = [];
      progress.starting(step);
      const round = await measure(step, { ...setup, onEnd: (end) => ends.push(end) }, interrupted, killed);
      if (round === null) break;
      progress.finished(step, round);
      const [end] = ends;
      if (round.state === 'measured' && end !== undefined) samples.push({ cell: step.cell, end });
    }
    return samples;
  });
}
