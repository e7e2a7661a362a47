/** `convoy bench`: plan, run, report. */
import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import { Parser } from 'yargs/helpers';
import { EXIT } from '../exit-codes.ts';
import { summarize } from '../figures/summary.ts';
import { type Judgement, judge } from '../figures/threshold.ts';
import { type BenchArguments, OPTIONS, withBenchOptions } from '../options/bench.ts';
import { readOptions } from '../options/read-bench.ts';
import { gatherOptions } from '../options/sources.ts';
import { writeOutputs } from '../outputs/outputs.ts';
import { renderTerminal } from '../render/terminal.ts';
import { renderVerdicts } from '../render/verdicts.ts';
import type { Result } from '../result/result.ts';
import { readJournal } from '../run/journal.ts';
import { runAndKeep } from '../run/run-and-keep.ts';
import { RoundCalibration } from '../simulate/round-calibration.ts';

/** Adds the options to the command, with the values they have when they are not on the command line. */
export async function withOptions(yargs: Argv, argv: readonly string[]): Promise<Argv<BenchArguments>> {
  return withBenchOptions(yargs).config(await otherOptions(argv));
}

async function otherOptions(argv: readonly string[]): Promise<object> {
  const { preset, config, resume } = Parser([...argv], { string: ['preset', 'config', 'resume'] });
  if (typeof resume === 'string') return (await readJournal(resume)).header.given;
  const warn = (message: string) => process.stderr.write(`convoy: ${message}\n`);
  return gatherOptions(Object.keys(OPTIONS), { preset, config }, process.env, warn);
}

/** @returns the exit code */
export async function run(args: BenchArguments, argv: readonly string[]): Promise<number> {
  const options = await readOptions(args, argv);
  const { calibrationPath, outputs, thresholds } = options;
  const beforeRounds = calibrationPath === null ? null : new RoundCalibration(calibrationPath);
  const { result, unwritten } = await runAndKeep(options, { beforeRounds }).finally(() => options.machine?.close());
  const written = await writeOutputs(outputs, result, unwritten);
  process.stdout.write(`${renderTerminal(result, styleText)}\n`);
  const summaries = thresholds.length === 0 ? [] : summarize(result);
  const judgements = thresholds.map((threshold) => judge(threshold, summaries, result.seed));
  if (judgements.length > 0) process.stdout.write(`\n${renderVerdicts(judgements)}\n`);
  // The run ended with the machine of the servers: what is missing was not interrupted by the user.
  if (options.machine?.lost !== undefined) return EXIT.cellFailed;
  return exitCodeOf(result, judgements, written);
}

/** What keeps a verdict from being trusted comes before the verdict. */
function exitCodeOf({ interrupted, cells }: Result, judgements: readonly Judgement[], written: boolean): number {
  const judged = (verdict: Judgement['verdict']) => judgements.some((judgement) => judgement.verdict === verdict);
  if (interrupted) return EXIT.interrupted;
  if (!written) return EXIT.notWritten;
  if (cells.some(({ rounds }) => rounds.some(({ state }) => state === 'failed'))) return EXIT.cellFailed;
  if (judged('fail')) return EXIT.thresholdFailed;
  return judged('inconclusive') ? EXIT.inconclusive : EXIT.ok;
}
