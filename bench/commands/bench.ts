/** `convoy bench`: plan, run, report. */
import { styleText } from 'node:util';
import { EXIT } from '../exit-codes.ts';
import { summarize } from '../figures/summary.ts';
import { type Judgement, judge } from '../figures/threshold.ts';
import type { RunOptions } from '../options/options.ts';
import { writeOutputs } from '../outputs/outputs.ts';
import { renderTerminal } from '../render/terminal.ts';
import { renderVerdicts } from '../render/verdicts.ts';
import type { Result } from '../result/result.ts';
import { runAndKeep } from '../run/run-and-keep.ts';

/** @returns the exit code */
export async function benchCommand(options: RunOptions): Promise<number> {
  const { outputs, thresholds } = options;
  const { result, unwritten } = await runAndKeep(options).finally(() => options.machine?.close());
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
