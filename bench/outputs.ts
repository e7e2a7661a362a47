/** A result, once it is measured, in every format it was asked for. */
import type { Outputs } from './options.ts';
import { renderChromeTrace } from './render/chrome-trace.ts';
import { renderCsv } from './render/csv.ts';
import { renderMarkdown } from './render/markdown.ts';
import type { Result } from './result.ts';
import { writeResult, writeWhole } from './result-file.ts';

export async function writeOutputs({ json, csv, markdown, trace }: Outputs, result: Result): Promise<void> {
  if (json !== null) await writeResult(json, result);
  if (csv !== null) await writeWhole(csv, renderCsv(result));
  if (markdown !== null) await writeWhole(markdown, renderMarkdown(result));
  if (trace !== null) await writeWhole(trace, renderChromeTrace(result));
}
