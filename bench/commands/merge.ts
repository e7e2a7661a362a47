/** `convoy merge`: the result files of the parts of one simulated run, as one. */

import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import { EXIT, UsageError } from '../exit-codes.ts';
import { renderTerminal } from '../render/terminal.ts';
import type { Result } from '../result/result.ts';
import { readResult, writeResult } from '../result/result-file.ts';
import { assembleCells } from '../simulate/plan.ts';

interface Arguments {
  readonly files: readonly string[];
  readonly output: string;
}

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'what simulate --shard wrote' })
    .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'the file for the whole' });
}

/** @returns the exit code */
export async function run({ files, output }: Arguments, argv: readonly string[]): Promise<number> {
  const results = await Promise.all(files.map(readResult));
  const merged = mergeResults(results, files, argv);
  await writeResult(output, merged);
  process.stdout.write(`${renderTerminal(merged, styleText)}\n`);
  return EXIT.ok;
}

/** @throws UsageError if they are not parts of one run, or have a round twice */
export function mergeResults(results: readonly Result[], paths: readonly string[], argv: readonly string[]): Result {
  const [first] = results;
  if (first === undefined) throw new UsageError('merge needs the files to merge');
  const runOf = ({ simulation, workload, seed, rounds, policies, environment }: Result) =>
    JSON.stringify([simulation, workload, seed, rounds, policies, environment.convoy, environment.revision]);
  for (const [i, result] of results.entries()) {
    if (result.simulation === undefined)
      throw new UsageError(`${paths[i]} was measured, not simulated: it has no parts`);
    if (runOf(result) !== runOf(first)) throw new UsageError(`${paths[i]} and ${paths[0]} are not parts of one run`);
  }
  const cells = assembleCells(
    results.flatMap((result) => result.cells),
    first.policies,
  );
  for (const { server, policy, scenario, rounds } of cells) {
    if (new Set(rounds.map(({ round }) => round)).size < rounds.length) {
      throw new UsageError(`${policy}/${server} ${scenario} is in more than one of the files`);
    }
  }
  return {
    ...first,
    argv: [...argv],
    interrupted: results.some(({ interrupted }) => interrupted),
    warnings: results.flatMap(({ warnings }) => warnings).filter(isFirst),
    cells,
  };
}

function isFirst(warning: Result['warnings'][number], at: number, all: Result['warnings']): boolean {
  return all.findIndex(({ message }) => message === warning.message) === at;
}
