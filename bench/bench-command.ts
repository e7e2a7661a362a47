/** `convoy bench`: plan, run, report. */
import { EXIT } from './exit-codes.ts';
import { interruptible } from './interrupts.ts';
import type { RunOptions } from './options.ts';
import { planCells } from './plan.ts';
import { Progress } from './progress.ts';
import { writeResult } from './result-file.ts';
import { run } from './run.ts';
import { renderResult } from './table.ts';

/** @returns the exit code */
export async function benchCommand(options: RunOptions): Promise<number> {
  const cells = planCells(options.servers, options.policies, options.scenarios);
  const progress = new Progress(cells.length * options.rounds, process.stderr);
  const { jsonPath } = options;
  const result = await interruptible(progress, (interrupted, killed) =>
    run(
      options,
      {
        progress,
        onCell: async (soFar) => {
          if (jsonPath !== null) await writeResult(jsonPath, soFar);
        },
      },
      interrupted,
      killed,
    ),
  );
  progress.end();
  if (jsonPath !== null) await writeResult(jsonPath, result);
  process.stdout.write(`${renderResult(result)}\n`);
  if (result.interrupted) return EXIT.interrupted;
  const failed = result.cells.some((cell) => cell.rounds.some((round) => round.state === 'failed'));
  return failed ? EXIT.cellFailed : EXIT.ok;
}
