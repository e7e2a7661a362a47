/** Runs a plan as a command does: progress on stderr, Ctrl-C, and the result in its file after every cell. */
import { interruptible } from './interrupts.ts';
import type { RunOptions } from './options.ts';
import { planCells } from './plan.ts';
import { Progress } from './progress.ts';
import type { Result } from './result.ts';
import { writeResult } from './result-file.ts';
import { run } from './run.ts';

/** @returns the result, however far it came */
export async function runAndKeep(options: RunOptions): Promise<Result> {
  const cells = planCells(options.servers, options.policies, options.scenarios);
  const progress = new Progress(cells.length * options.rounds, process.stderr, options.quiet);
  const { json } = options.outputs;
  const keep = async (soFar: Result) => {
    if (json !== null) await writeResult(json, soFar);
  };
  const result = await interruptible(progress, (interrupted, killed) =>
    run(options, { progress, onCell: keep }, interrupted, killed),
  );
  progress.end();
  return result;
}
