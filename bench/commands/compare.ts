/** `convoy compare`: two result files beside each other. */
import { styleText } from 'node:util';
import { EXIT } from '../exit-codes.ts';
import { compareResults } from '../figures/compare.ts';
import { renderComparison } from '../render/comparison.ts';
import { readResult } from '../result/result-file.ts';

/** @returns the exit code: 0 whatever became slower; thresholds are `--assert` */
export async function compareCommand(first: string, second: string): Promise<number> {
  const comparison = compareResults(await readResult(first), await readResult(second));
  process.stdout.write(`${renderComparison(comparison, [first, second], styleText)}\n`);
  return EXIT.ok;
}
