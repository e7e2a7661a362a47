/** Runs a plan as a command does: progress on stderr, Ctrl-C, and what is finished on the disk after every round. */

import type { RunOptions } from '../options/read-bench.ts';
import type { Result } from '../result/result.ts';
import { interruptible } from './interrupts.ts';
import { FileKeeper, KEEP_NOTHING } from './keep.ts';
import { planCells } from './plan.ts';
import { Progress } from './progress.ts';
import { RoundCalibration } from './round-calibration.ts';
import { run } from './run.ts';

/** A run that is over. */
export interface KeptRun {
  /** However far it came. */
  readonly result: Result;
  /** Files that could not be written and why, for the user. */
  readonly unwritten: readonly string[];
}

/**
 * Runs.
 *
 * @param concluded the result with what is made of it as a whole, for its file
 */
export async function runAndKeep(
  options: RunOptions,
  concluded: (result: Result) => Result = (result) => result,
): Promise<KeptRun> {
  const cells = planCells(options.servers, options.policies, options.scenarios);
  const progress = new Progress(cells.length * options.rounds, process.stderr, options.quiet);
  const say = (line: string) => progress.say(line);
  const { calibrationPath, outputs } = options;
  const { json } = outputs;
  const keeper = json === null ? KEEP_NOTHING : new FileKeeper(json, options, say);
  const calibration = calibrationPath === null ? null : new RoundCalibration(calibrationPath, say);
  const events = { progress, keeper, calibration };
  const result = concluded(
    await interruptible(progress, (interrupted, killed) => run(options, events, interrupted, killed)),
  );
  progress.end();
  return { result, unwritten: await keeper.end(result) };
}
