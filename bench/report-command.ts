/** `convoy report`: a result file as a page. */
import { EXIT } from './exit-codes.ts';
import { writablePath } from './options.ts';
import { renderHtml } from './render/html/page.ts';
import { readAssets } from './report-assets.ts';
import { readResult, writeWhole } from './result-file.ts';

/**
 * @param path a file that `--json` wrote
 * @param output where the page is written
 * @returns the exit code
 */
export async function reportCommand(path: string, output: string): Promise<number> {
  const result = await readResult(path);
  await writeWhole(await writablePath('output', output), renderHtml(result, await readAssets()));
  return EXIT.ok;
}
