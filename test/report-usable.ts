/**
 * `npm run bench:report`: when the page of a report can be used, from its opening on: that of the full matrix of 10,000 messages with
 * timelines, the largest there is a limit for, and one with nothing in it. Prints; asserts nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile, sortSamples } from '../bench/figures/statistics.ts';
import { readAssets } from '../bench/outputs/report-assets.ts';
import { renderHtml } from '../bench/render/html/page.ts';
import { fullMatrix } from './bench/render/full-matrix.ts';
import { result } from './bench/result-builder.ts';
import { openPage, startBrowser, usableMs } from './browser.ts';

const SIZE = { width: 1280, height: 900 };
const TIMES = 10;

const folder = mkdtempSync(join(tmpdir(), 'convoy-report-'));
const assets = await readAssets();
const browser = await startBrowser();
for (const [name, made] of [
  ['the full matrix of 10,000 messages', fullMatrix(10_000, ['py32/blocking', 'pypy16/blocking', 'priority/blocking'])],
  ['nothing', result([])],
] as const) {
  const file = join(folder, 'report.html');
  writeFileSync(file, renderHtml(made, assets));
  const tookMs: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const { page } = await openPage(browser, SIZE);
    tookMs.push(await usableMs(page, `file://${file}`));
    await page.close();
  }
  const sorted = sortSamples(tookMs);
  const of = (p: number) => (percentile(sorted, p) / 1e3).toFixed(2);
  console.log(`a report of ${name}: usable after ${of(50)} s in the median of ${TIMES}, ${of(100)} s at most`);
}
await browser.close();
rmSync(folder, { recursive: true });
