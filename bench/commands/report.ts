/** `convoy report`: a result file as a page. */
import type { Argv } from 'yargs';
import { EXIT } from '../exit-codes.ts';
import { writablePath } from '../options/files.ts';
import { writeReport } from '../outputs/outputs.ts';
import { readResult, whyNotWritten } from '../result/result-file.ts';

interface Arguments {
  readonly result: string;
  readonly output: string;
}

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional('result', { type: 'string', demandOption: true, describe: 'a file that --json wrote' })
    .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'the file for the page' });
}

/** @returns the exit code */
export async function run({ result: path, output }: Arguments): Promise<number> {
  const result = await readResult(path);
  const page = await writablePath('output', output);
  const why = await whyNotWritten(page, () => writeReport(page, result));
  if (why === null) return EXIT.ok;
  process.stderr.write(`convoy: ${why}\n`);
  return EXIT.notWritten;
}
