/** `convoy show`: a result file as tables again. */
import { styleText } from 'node:util';
import { EXIT } from '../exit-codes.ts';
import { renderCsv } from '../render/csv.ts';
import { renderMarkdown } from '../render/markdown.ts';
import { renderTerminal } from '../render/terminal.ts';
import { readResult } from '../result/result-file.ts';

export type ShowFormat = 'terminal' | 'markdown' | 'csv';

/** @returns the exit code */
export async function showCommand(path: string, format: ShowFormat): Promise<number> {
  const result = await readResult(path);
  switch (format) {
    case 'terminal':
      process.stdout.write(`${renderTerminal(result, styleText)}\n`);
      break;
    case 'markdown':
      process.stdout.write(renderMarkdown(result));
      break;
    case 'csv':
      process.stdout.write(renderCsv(result));
      break;
  }
  return EXIT.ok;
}
