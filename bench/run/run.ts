/** Runs a plan: every round of every cell, one after the other, and the result as it grows. */
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../../lock/interpreter.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import { measure } from '../measure/measure.ts';
import type { RunOptions } from '../options/read-bench.ts';
import { isInterpreter } from '../reference/interpreter.ts';
import { withLockCounter } from '../reference/lock-counter.ts';
import { type Cell, isReference, RESULT_VERSION, type Result, type Round } from '../result/result.ts';
import { warningsOf } from '../warnings/warnings.ts';
import { type EnvironmentBefore, finishEnvironment, probeEnvironment } from './environment.ts';
import type { Keeper } from './keep.ts';
import { type PlannedCell, planCells, planRounds } from './plan.ts';
import type { Progress } from './progress.ts';

/** What a run tells while it goes on. */
export interface RunEvents {
  readonly progress: Progress;
  readonly keeper: Keeper;
  /** Null: nothing is to be done there. */
  readonly beforeRounds: BeforeRounds | null;
}

/** What is done before each round, while nothing is measured. */
export interface BeforeRounds {
  /**
   * @param progress is told what is being done, and what went wrong
   * @param interrupted ends it; the round is not measured then
   */
  before(round: number, progress: Progress, interrupted: AbortSignal): Promise<void>;
}

/** What is known of a run before its first cell. */
export interface Begun {
  readonly before: EnvironmentBefore;
  readonly leafNs: number;
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
  return interpreters && options.machine === null ? withLockCounter(measureAll) : measureAll(null);
}

async function runWith(
  lockCounter: string | null,
  options: RunOptions,
  events: RunEvents,
  interrupted: AbortSignal,
  killed: AbortSignal,
): Promise<Result> {
  const { machine } = options;
  const elsewhere = machine === null ? {} : { startServerSide: machine.startServerSide };
  const measureLeaf = () => machine?.measureLeafNs() ?? measureLeafAloneNs();
  const begun = {
    before: await probeEnvironment(),
    leafNs: options.resume?.header.leafNs ?? (await measureLeaf()),
  };
  const { leafNs } = begun;
  await events.keeper.begin(begun);
  const planned = planCells(options.servers, options.policies, options.scenarios);
  const rounds = new Map(planned.map((cell) => [cell, measuredBefore(cell, options.resume)]));
  const resultSoFar = () => makeResult(options, begun, cellsOf(rounds), interrupted.aborted);
  let begunRound = 0;
  for (const step of planRounds(planned, options.rounds, options.seed)) {
    if (step.round !== begunRound) {
      begunRound = step.round;
      await events.beforeRounds?.before(step.round, events.progress, interrupted);
    }
    if (interrupted.aborted) break;
    if (rounds.get(step.cell)?.has(step.round) === true) {
      events.progress.resumed();
      continue;
    }
    events.progress.starting(step);
    const round = await measure(
      step,
      { workload: options.workload, leafNs, lockCounter, records: options.timeline, ...elsewhere },
      interrupted,
      killed,
    );
    if (round === null) break;
    rounds.get(step.cell)?.set(step.round, round);
    // What is said to be finished is kept.
    await events.keeper.keep(step, round, await resultSoFar());
    events.progress.finished(step, round);
    // Every other cell would fail for the same reason.
    if (machine?.lost !== undefined) break;
  }
  return resultSoFar();
}

/** Rounds of a cell that the resumed run has measured, by their number. What failed there is measured again. */
function measuredBefore(cell: PlannedCell, resume: RunOptions['resume']): Map<number, Round> {
  const entries = (resume?.entries ?? []).filter(
    ({ server, policy, scenario, round }) =>
      server === cell.server &&
      policy === cell.policy.label &&
      scenario === cell.scenario &&
      round.state === 'measured',
  );
  return new Map(entries.map(({ round }) => [round.round, round]));
}

function cellsOf(rounds: ReadonlyMap<PlannedCell, ReadonlyMap<number, Round>>): Cell[] {
  return [...rounds].map(([{ server, policy, scenario }, byNumber]) => ({
    server,
    policy: policy.label,
    scenario,
    rounds: [...byNumber.values()].sort((a, b) => a.round - b.round),
  }));
}

/** Length of a leaf of interpreter work on this machine, now. */
export function measureLeafAloneNs(): number {
  const lock = new GlobalLock(freeThreaded, {}, createLockState(freeThreaded), 1);
  return measureLeafNs(new Interpreter(lock, TICK_NS));
}

async function makeResult(
  options: RunOptions,
  { before, leafNs }: Begun,
  cells: Cell[],
  interrupted: boolean,
): Promise<Result> {
  const environment = await finishEnvironment(before);
  const serverEnvironment = await options.machine?.environment();
  return {
    format: 'convoy-result',
    version: RESULT_VERSION,
    createdAt: new Date().toISOString(),
    argv: [...options.argv],
    seed: options.seed,
    rounds: options.rounds,
    interrupted: interrupted || cells.some(({ rounds }) => rounds.length < options.rounds),
    workload: options.workload,
    leafNs,
    policies: [...options.policies],
    environment,
    ...(serverEnvironment === undefined ? {} : { serverEnvironment }),
    warnings: warningsOf(cells, environment, options.workload, options.policies, serverEnvironment),
    cells,
  };
}
