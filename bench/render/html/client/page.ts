/**
 * The page's script: draws the charts when they come into view, and changes between light and dark. Compiled by itself, against
 * the DOM; it and what it imports are put into the page as one script, in the order of `bench/outputs/report-assets.ts`.
 */
import type { EChartsOption } from 'echarts';
import type { Chart, PageData } from '../charts.ts';
import { barsOption } from '../options/bars.ts';
import { overTimeOption } from '../options/over-time.ts';
import { percentilesOption } from '../options/percentiles.ts';
import { sweepOption } from '../options/sweep.ts';
import { tradeOption } from '../options/trade.ts';
import { drawInto, whenSeen } from './drawing.ts';
import { showCells } from './explorer.ts';

function optionOf(chart: Chart, widthPx: number): EChartsOption {
  switch (chart.kind) {
    case 'bars':
      return barsOption(chart);
    case 'percentiles':
      return percentilesOption(chart, widthPx);
    case 'over-time':
      return overTimeOption(chart);
    case 'sweep':
      return sweepOption(chart, widthPx);
    case 'trade':
      return tradeOption(chart, widthPx);
  }
}

function readData(): PageData {
  return JSON.parse(document.getElementById('data')?.textContent ?? '') as PageData;
}

/** Light, dark, or as the system has it: the button goes to the one that is not shown. */
function listenToTheme(): void {
  const root = document.documentElement;
  document.getElementById('theme')?.addEventListener('click', () => {
    const shown = root.dataset['theme'] ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    root.dataset['theme'] = shown === 'dark' ? 'light' : 'dark';
  });
}

listenToTheme();
const data = readData();
for (const [id, chart] of Object.entries(data.charts)) {
  const element = document.getElementById(id);
  if (element !== null) whenSeen(element, () => drawInto(element, (widthPx) => optionOf(chart, widthPx)));
}
showCells(data.cells);
// For whoever waits until the page can be used.
document.documentElement.dataset['ready'] = 'true';
