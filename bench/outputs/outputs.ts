/** A result, once it is measured, in every format that is made of it. The result's own file is written while the run goes on. */
import type { Outputs } from '../options/files.ts';
import { renderChromeTrace } from '../render/chrome-trace.ts';
import { renderCsv } from '../render/csv.ts';
import { renderMarkdown } from '../render/markdown.ts';
import type { Result } from '../result/result.ts';
import { whyNotWritten, writeWhole } from '../result/result-file.ts';

/**
 * Writes them, and says on stderr what could not be written.
 *
 * @param unwritten what could not be written before
 * @returns whether everything is written
 */
export async function writeOutputs(
  { csv, markdown, report, trace }: Outputs,
  result: Result,
  unwritten: readonly string[],
): Promise<boolean> {
  const failures = [
    ...unwritten,
    csv === null ? null : await whyNotWritten(csv, () => writeWhole(csv, renderCsv(result))),
    markdown === null ? null : await whyNotWritten(markdown, () => writeWhole(markdown, renderMarkdown(result))),
    report === null ? null : await whyNotWritten(report, () => writeReport(report, result)),
    trace === null ? null : await whyNotWritten(trace, () => writeWhole(trace, renderChromeTrace(result))),
  ];
  for (const why of failures) if (why !== null) process.stderr.write(`convoy: ${why}\n`);
  return failures.every((why) => why === null);
}

/** Writes the page of a result. What draws it is half of the program, and loaded by the runs that want it. */
export async function writeReport(path: string, result: Result): Promise<void> {
  const [{ renderHtml }, { readAssets }] = await Promise.all([
    import('../render/html/page.ts'),
    import('./report-assets.ts'),
  ]);
  await writeWhole(path, renderHtml(result, await readAssets()));
}
