/** A result, once it is measured, in every format it was asked for. */
import type { Outputs } from './options.ts';
import { renderCsv } from './render/csv.ts';
import { renderHtml } from './render/html/page.ts';
import { renderMarkdown } from './render/markdown.ts';
import { readAssets } from './report-assets.ts';
import type { Result } from './result.ts';
import { writeResult, writeWhole } from './result-file.ts';

export async function writeOutputs({ json, csv, markdown, report }: Outputs, result: Result): Promise<void> {
  if (json !== null) await writeResult(json, result);
  if (csv !== null) await writeWhole(csv, renderCsv(result));
  if (markdown !== null) await writeWhole(markdown, renderMarkdown(result));
  if (report !== null) await writeWhole(report, renderHtml(result, await readAssets()));
}
