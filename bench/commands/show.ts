/** `convoy show`: a result file as tables again. */
import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import { EXIT } from '../exit-codes.ts';
import { renderCsv } from '../render/csv.ts';
import { renderMarkdown } from '../render/markdown.ts';
import { renderTerminal } from '../render/terminal.ts';
import { readResult } from '../result/result-file.ts';

interface Arguments {
  readonly result: string;
  readonly markdown: boolean | undefined;
  readonly csv: boolean | undefined;
}

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional('result', { type: 'string', demandOption: true, describe: 'a file that bench --json wrote' })
    .option('markdown', { type: 'boolean', describe: 'as Markdown' })
    .option('csv', { type: 'boolean', describe: 'as CSV', conflicts: 'markdown' });
}

/** @returns the exit code */
export async function run({ result: path, markdown, csv }: Arguments): Promise<number> {
  const result = await readResult(path);
  if (markdown === true) process.stdout.write(renderMarkdown(result));
  else if (csv === true) process.stdout.write(renderCsv(result));
  else process.stdout.write(`${renderTerminal(result, styleText)}\n`);
  return EXIT.ok;
}
