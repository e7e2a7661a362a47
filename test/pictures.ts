/**
 * `npm run pictures`: the pictures of README and docs, from the recorded results in `docs/results/`, drawn by the same code as the
 * charts of a report. The same results give the same pictures, to the byte; a test holds the two together.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type EChartsOption, init } from 'echarts';
import type { BarsChart, CellView } from '../bench/render/html/charts.ts';
import { HATCHINGS } from '../bench/render/html/hatchings.ts';
import { barsLegend, marksLegend, statesLegend } from '../bench/render/html/legends.ts';
import { barsOption } from '../bench/render/html/options/bars.ts';
import { ROW_PX, timelineOption, timelineSeries, unpackTimeline } from '../bench/render/html/options/timeline.ts';
import { sectionsOf } from '../bench/render/html/sections.ts';
import type { Result } from '../bench/result/result.ts';
import { readResult } from '../bench/result/result-file.ts';

/** Of the working copy: both npm and vitest run there. */
const ROOT = process.cwd();
const WIDTH_PX = 880;
const GAP_PX = 24;
const TITLE_PX = 30;
const LEGEND_PX = 34;

/** The order of the slides. */
const SLIDES = ['py32', 'pypy16', 'py27', 'priority'];

/** File name → how it is drawn, of which result. */
const PICTURES: Readonly<Record<string, readonly [result: string, draw: (result: Result) => string]>> = {
  'loaded.svg': ['loaded.json', loadedPicture],
  'convoy.svg': ['convoy.json', convoyPicture],
};

/** The talk's loaded bars beside ours, a panel for each slide. */
function loadedPicture(result: Result): string {
  const { data } = sectionsOf(result);
  const bars = Object.values(data.charts).filter((chart) => chart.kind === 'bars');
  const panels = SLIDES.flatMap((policy) => {
    const chart = bars.find((each) => each.policy === policy);
    return chart === undefined ? [] : [{ policy, chart }];
  });
  const width = (WIDTH_PX - 3 * GAP_PX) / 2;
  const height = Math.max(...panels.map(({ chart }) => chart.rows.length)) * ROW_PX + 40;
  const drawn = panels.map(({ policy, chart }, i) =>
    place(
      GAP_PX + (i % 2) * (width + GAP_PX),
      LEGEND_PX + Math.floor(i / 2) * (height + TITLE_PX),
      `<text y="20" class="title">${policy}</text>${nested(draw(barsOption(chart as BarsChart), width, height), 0, TITLE_PX)}`,
    ),
  );
  const rows = Math.ceil(panels.length / 2);
  return picture(
    'Seconds for 10,000 messages beside one CPU thread: Convoy, and the talk',
    LEGEND_PX + rows * (height + TITLE_PX),
    [legend(barsLegend(true, true).text), ...drawn],
  );
}

/** The lock by thread while a slow message of the blocking server under py32 is served. */
function convoyPicture(result: Result): string {
  const { data } = sectionsOf(result);
  const cell = data.cells.find(({ timeline }) => timeline !== null);
  if (cell === undefined) throw new Error('the result has no timeline: record it with --timeline');
  const [fromNs, untilNs] = aroundSlow(cell);
  const timeline = cell.timeline as NonNullable<CellView['timeline']>;
  const rows = unpackTimeline(timeline);
  const height = (rows.length + 1) * ROW_PX + 40;
  const { dataZoom: _, ...axes } = timelineOption(rows, { ...timeline, fromNs, untilNs });
  const option = {
    ...axes,
    grid: { left: 104, right: 30, top: 8, bottom: 32 },
    series: timelineSeries(rows, timeline, fromNs, untilNs, WIDTH_PX),
  } as EChartsOption;
  return picture(`Who has the lock, ${cell.name}`, 2 * LEGEND_PX + height, [
    legend(statesLegend().text),
    place(0, height + LEGEND_PX - 6, legend(marksLegend().text)),
    nested(draw(option, WIDTH_PX, height), 0, LEGEND_PX),
  ]);
}

/** The slow message and as much again on either side. */
function aroundSlow({ messages }: CellView): [fromNs: number, untilNs: number] {
  const { sentMs = 0, rttMs = 1 } = messages.at(-1) ?? {};
  return [Math.max(0, (sentMs - rttMs) * 1e6), (sentMs + 2 * rttMs) * 1e6];
}

/** An option as SVG, without a browser. */
function draw(option: EChartsOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  // Styles of a pointer over the drawing, whose names count the drawings of the process.
  return svg.replace(/<style[\s\S]*?<\/style>/g, '').replace(/ (class|ecmeta_\w+)="[^"]*"/g, '');
}

function nested(svg: string, x: number, y: number): string {
  return svg.replace('<svg ', `<svg x="${x}" y="${y}" `);
}

function place(x: number, y: number, content: string): string {
  return `<g transform="translate(${x} ${y})">${content}</g>`;
}

/** A list of the page, laid out in a line. */
function legend(list: string): string {
  let x = GAP_PX;
  const keys = [...list.matchAll(/<li>(<svg[\s\S]*?<\/svg>)([^<]*)<\/li>/g)].map(([, sample = '', text = '']) => {
    const key = place(x, 14, `${sample}<text x="32" y="9" class="key">${text}</text>`);
    x += 52 + text.length * 5.9;
    return key;
  });
  return keys.join('');
}

function picture(title: string, height: number, parts: readonly string[]): string {
  const palette = readFileSync(resolve(ROOT, 'bench/render/html/palette.css'), 'utf8');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${height}" viewBox="0 0 ${WIDTH_PX} ${height}" role="img">
<title>${title}</title>
<style>${palette}svg { font-family: system-ui, sans-serif; } .title { font-size: 14px; font-weight: 700; fill: var(--ink); } .key { font-size: 12px; fill: var(--quiet); }</style>
<defs>${HATCHINGS.text}</defs>
<rect width="${WIDTH_PX}" height="${height}" rx="6" fill="var(--paper)" />
${parts.join('\n')}
</svg>
`;
}

/** Every picture: its path, and what is in it. */
export async function drawPictures(): Promise<[path: string, svg: string][]> {
  return Promise.all(
    Object.entries(PICTURES).map(
      async ([name, [result, drawIt]]): Promise<[string, string]> => [
        resolve(ROOT, 'docs/pictures', name),
        drawIt(await readResult(resolve(ROOT, 'docs/results', result))),
      ],
    ),
  );
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, svg] of await drawPictures()) writeFileSync(path, svg);
}
