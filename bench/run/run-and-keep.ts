/** Runs a plan as a command does: progress on stderr, Ctrl-C, and what is finished on the disk after every round. */

import type { RunOptions } from '../options/read-bench.ts';
import type { Result } from '../result/result.ts';
import { interruptible } from './interrupts.ts';
import { FileKeeper, KEEP_NOTHING } from './keep.ts';
import { planCells } from './plan.ts';
import { Progress } from './progress.ts';
import { type BeforeRounds, run } from './run.ts';

/** A run that is over. */
export interface KeptRun {
  /** However far it came. */
  readonly result: Result;
  /** Files that could not be written and why, for the user. */
  readonly unwritten: readonly string[];
}

/** What a command adds to a run. */
export interface Additions {
  readonly beforeRounds?: BeforeRounds | null;
  /** The result with what is made of it as a whole, for its file. */
  readonly concluded?: (result: Result) => Result;
}

/** Runs. */
export async function runAndKeep(
  options: RunOptions,
  { beforeRounds = null, concluded = (result) => result }: Additions = {},
): Promise<KeptRun> {
  const cells = planCells(options.servers, options.policies, options.scenarios);
  const progress = new Progress(cells.length * options.rounds, process.stderr, options.quiet);
  const { json } = options.outputs;
  const keeper = json === null ? KEEP_NOTHING : new FileKeeper(json, options, (line) => progress.say(line));
  const events = { progress, keeper, beforeRounds };
  const result = concluded(
    await interruptible(progress, (interrupted, killed) => run(options, events, interrupted, killed)),
  );
  progress.end();
  return { result, unwritten: await keeper.end(result) };
}
