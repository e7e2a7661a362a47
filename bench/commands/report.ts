/** `convoy report`: a result file as a page. */
import { EXIT } from '../exit-codes.ts';
import { writablePath } from '../options/options.ts';
import { writeReport } from '../outputs/outputs.ts';
import { readResult, whyNotWritten } from '../result/result-file.ts';

/**
 * @param path a file that `--json` wrote
 * @param output where the page is written
 * @returns the exit code
 */
export async function reportCommand(path: string, output: string): Promise<number> {
  const result = await readResult(path);
  const page = await writablePath('output', output);
  const why = await whyNotWritten(page, () => writeReport(page, result));
  if (why === null) return EXIT.ok;
  process.stderr.write(`convoy: ${why}\n`);
  return EXIT.notWritten;
}
