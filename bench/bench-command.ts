/** `convoy bench`: plan, run, report. */
import { EXIT } from './exit-codes.ts';
import type { RunOptions } from './options.ts';
import { runAndKeep } from './run-and-keep.ts';
import { renderResult } from './table.ts';

/** @returns the exit code */
export async function benchCommand(options: RunOptions): Promise<number> {
  const result = await runAndKeep(options);
  process.stdout.write(`${renderResult(result)}\n`);
  if (result.interrupted) return EXIT.interrupted;
  const failed = result.cells.some((cell) => cell.rounds.some((round) => round.state === 'failed'));
  return failed ? EXIT.cellFailed : EXIT.ok;
}
