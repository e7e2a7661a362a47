/** Runs a plan: every round of every cell, one after the other, and the result as it grows. */
import { createLockState, GlobalLock } from '../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../lock/interpreter.ts';
import freeThreaded from '../lock/policies/free-threaded.ts';
import { type EnvironmentBefore, finishEnvironment, probeEnvironment } from './environment.ts';
import { measure } from './measure.ts';
import type { RunOptions } from './options.ts';
import { type PlannedCell, planCells, planRounds } from './plan.ts';
import type { Progress } from './progress.ts';
import { isInterpreter } from './reference/interpreter.ts';
import { withLockCounter } from './reference/lock-counter.ts';
import { type Cell, isReference, RESULT_VERSION, type Result } from './result.ts';
import { warningsOf } from './warnings.ts';

/** What a run tells while it goes on. */
export interface RunEvents {
  readonly progress: Progress;
  /** The result so far, after each cell, so that it can be kept. */
  onCell(result: Result): Promise<void>;
}

/**
 * Measures everything that was asked for.
 *
 * @param options what
 * @param events whom to tell
 * @param interrupted ends the run after the cell that is being measured has been ended; what is finished is returned
 * @param killed ends that cell's processes at once
 */
export function run(
  options: RunOptions,
  events: RunEvents,
  interrupted: AbortSignal,
  killed: AbortSignal,
): Promise<Result> {
  const measureAll = (lockCounter: string | null) => runWith(lockCounter, options, events, interrupted, killed);
  const interpreters = options.policies.some((column) => isReference(column) && isInterpreter(column));
  return interpreters ? withLockCounter(measureAll) : measureAll(null);
}

async function runWith(
  lockCounter: string | null,
  options: RunOptions,
  events: RunEvents,
  interrupted: AbortSignal,
  killed: AbortSignal,
): Promise<Result> {
  const before = await probeEnvironment();
  const leafNs = measureLeafAloneNs();
  const planned = planCells(options.servers, options.policies, options.scenarios);
  const cells = new Map<PlannedCell, Cell>(
    planned.map((cell) => [
      cell,
      { server: cell.server, policy: cell.policy.label, scenario: cell.scenario, rounds: [] },
    ]),
  );
  const resultSoFar = () => makeResult(options, leafNs, before, [...cells.values()], interrupted.aborted);
  for (const step of planRounds(planned, options.rounds, options.seed)) {
    if (interrupted.aborted) break;
    events.progress.starting(step);
    const setup = { workload: options.workload, leafNs, lockCounter, records: options.timeline };
    const round = await measure(step, setup, interrupted, killed);
    if (round === null) break;
    cells.get(step.cell)?.rounds.push(round);
    events.progress.finished(step, round);
    await events.onCell(await resultSoFar());
  }
  return resultSoFar();
}

/** Length of a leaf of interpreter work on this machine, now. */
export function measureLeafAloneNs(): number {
  const lock = new GlobalLock(freeThreaded, {}, createLockState(freeThreaded), 1);
  return measureLeafNs(new Interpreter(lock, TICK_NS));
}

async function makeResult(
  options: RunOptions,
  leafNs: number,
  before: EnvironmentBefore,
  cells: Cell[],
  interrupted: boolean,
): Promise<Result> {
  const environment = await finishEnvironment(before);
  return {
    format: 'convoy-result',
    version: RESULT_VERSION,
    createdAt: new Date().toISOString(),
    argv: [...options.argv],
    seed: options.seed,
    rounds: options.rounds,
    interrupted,
    workload: options.workload,
    leafNs,
    policies: [...options.policies],
    environment,
    warnings: warningsOf(cells, environment, options.workload, options.policies),
    cells,
  };
}
