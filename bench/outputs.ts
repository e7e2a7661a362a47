/** A result, once it is measured, in every format that is made of it. The result's own file is written while the run goes on. */
import type { Outputs } from './options.ts';
import { renderCsv } from './render/csv.ts';
import { renderMarkdown } from './render/markdown.ts';
import type { Result } from './result.ts';
import { whyNotWritten, writeWhole } from './result-file.ts';

/**
 * Writes them, and says on stderr what could not be written.
 *
 * @param unwritten what could not be written before
 * @returns whether everything is written
 */
export async function writeOutputs(
  { csv, markdown }: Outputs,
  result: Result,
  unwritten: readonly string[],
): Promise<boolean> {
  const failures = [
    ...unwritten,
    csv === null ? null : await whyNotWritten(csv, () => writeWhole(csv, renderCsv(result))),
    markdown === null ? null : await whyNotWritten(markdown, () => writeWhole(markdown, renderMarkdown(result))),
  ];
  for (const why of failures) if (why !== null) process.stderr.write(`convoy: ${why}\n`);
  return failures.every((why) => why === null);
}
