/** `convoy compare`: two result files beside each other. */
import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import { EXIT } from '../exit-codes.ts';
import { compareResults } from '../figures/compare.ts';
import { renderComparison } from '../render/comparison.ts';
import { readResult } from '../result/result-file.ts';

interface Arguments {
  readonly a: string;
  readonly b: string;
}

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional('a', { type: 'string', demandOption: true, describe: 'the result file to compare with' })
    .positional('b', { type: 'string', demandOption: true, describe: 'the result file to compare' });
}

/** @returns the exit code: 0 whatever became slower; thresholds are `--assert` */
export async function run({ a, b }: Arguments): Promise<number> {
  const comparison = compareResults(await readResult(a), await readResult(b));
  process.stdout.write(`${renderComparison(comparison, [a, b], styleText)}\n`);
  return EXIT.ok;
}
