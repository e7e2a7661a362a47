/** `convoy merge`: the result files of the parts of one simulated run, as one. */
import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import { EXIT, UsageError } from '../exit-codes.ts';
import { renderTerminal } from '../render/terminal.ts';
import type { Result } from '../result/result.ts';
import { readResult, writeResult } from '../result/result-file.ts';
import { assembleCells } from '../simulate/plan.ts';
import { formatShard, missingShards, WHOLE } from '../simulate/shard.ts';

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

/** @throws UsageError if they are not parts of one run, all of them, each once */
export function mergeResults(results: readonly Result[], paths: readonly string[], argv: readonly string[]): Result {
  const parts = results.map((result, i) => partIn(result, paths[i] as string));
  const [first] = parts;
  if (first === undefined) throw new UsageError('merge needs the files to merge');
  for (const { path, run } of parts) {
    if (run !== first.run) throw new UsageError(`${path} and ${first.path} are not parts of one run`);
  }
  for (const [i, { path, shard }] of parts.entries()) {
    const same = parts.slice(0, i).find((other) => other.shard.index === shard.index);
    if (same !== undefined) throw new UsageError(`${path} and ${same.path} are both shard ${formatShard(shard)}`);
  }
  const missing = missingShards(
    parts.map(({ shard }) => shard),
    first.shard.count,
  ).map(formatShard);
  if (missing.length > 0) {
    throw new UsageError(
      `no file has shard ${missing.join(', ')}: run the same convoy simulate with --shard ${missing[0]}${missing.length === 1 ? '' : ' and so on'}, or name the files it has written`,
    );
  }
  const { simulation, ...whole } = first.result;
  return {
    ...whole,
    argv: [...argv],
    interrupted: results.some(({ interrupted }) => interrupted),
    ...(simulation && { simulation: { profile: simulation.profile } }),
    warnings: results.flatMap(({ warnings }) => warnings).filter(isFirst),
    cells: assembleCells(
      results.flatMap(({ cells }) => cells),
      whole.policies,
    ),
  };
}

function partIn(result: Result, path: string) {
  const { simulation, workload, seed, rounds, policies, environment } = result;
  if (simulation === undefined) throw new UsageError(`${path} was measured, not simulated: it has no parts`);
  const { profile, shard = WHOLE } = simulation;
  const { convoy, revision, cpus } = environment;
  const run = JSON.stringify([profile, shard.count, workload, seed, rounds, policies, convoy, revision, cpus]);
  return { result, path, shard, run };
}

function isFirst(warning: Result['warnings'][number], at: number, all: Result['warnings']): boolean {
  return all.findIndex(({ message }) => message === warning.message) === at;
}
