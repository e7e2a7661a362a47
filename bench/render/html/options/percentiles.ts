/** Percentile curves, for the chart library. */
import type { EChartsOption } from 'echarts';
import type { PercentilesChart } from '../charts.ts';
import { axis, FONT, FRAME, INK, written } from './frame.ts';
import { lookOf } from './looks.ts';

/** As far from 100 % as ten to this power: 1 is 90 %, 2 is 99 %. */
function nines(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

/** The largest of n samples is drawn half a sample from 100 %. */
function lastOf(messages: number): number {
  return Math.log10(2 * messages);
}

/** A few percentiles are marked on each line, so that it can be told from the others. */
const MARKED = [50, 90, 99, 99.9] as const;

export function percentilesOption({ series }: PercentilesChart, widthPx: number): EChartsOption {
  const end = Math.max(1, ...series.map(({ messages }) => lastOf(messages)));
  const shiftsPx = shiftsOf(series.map(({ maxMs, points }) => [points[0]?.[1] ?? maxMs, maxMs]));
  const symbolSize = (value: readonly number[]) =>
    MARKED.some((percent) => Math.abs((value[0] ?? 0) - nines(percent)) < 1e-9) ? 9 : 0;
  return {
    ...FRAME,
    tooltip: {
      ...FRAME.tooltip,
      valueFormatter: (value) => `${written(Number(value))} ms`,
      axisPointer: { ...FRAME.tooltip.axisPointer, label: { show: false, formatter: ({ value }) => shareOf(+value) } },
    },
    grid: { left: 46, right: widthPx < 400 ? 84 : 104, top: 28, bottom: 28 },
    xAxis: {
      type: 'value',
      min: 0,
      max: end,
      interval: 1,
      ...axis(''),
      axisLabel: { ...FONT, customValues: [0, nines(50), 1, 2, 3, 4, 5].filter((at) => at <= end), formatter: shareOf },
    },
    yAxis: {
      type: 'log',
      ...axis('ms'),
      nameLocation: 'end',
      axisLabel: { ...FONT, formatter: (value: number) => written(value) },
    },
    series: series.map(({ label, look, messages, points, maxMs }, index) => {
      const { colour, dash, symbol } = lookOf(look);
      return {
        name: label,
        type: 'line',
        symbol: `path://${symbol}`,
        symbolSize,
        showAllSymbol: true,
        lineStyle: { color: colour, width: 2, type: dash.length === 0 ? 'solid' : [...dash] },
        itemStyle: { color: colour },
        emphasis: { disabled: true },
        data: [
          ...points.map(([percent, ms]) => [nines(percent), Math.max(ms, 1e-3)]),
          {
            value: [lastOf(messages), Math.max(maxMs, 1e-3)],
            symbolSize: 4,
            label: {
              show: true,
              ...FONT,
              color: INK,
              formatter: () => label,
              position: 'right' as const,
              offset: [0, shiftsPx[index] ?? 0],
              width: widthPx < 400 ? 76 : 96,
              overflow: 'truncate' as const,
            },
          },
        ],
      };
    }),
  };
}

/** Of the area between the axes, and of a line of text. */
const AREA_PX = 244;
const LINE_PX = 13;

/** How far down the names at the ends of lines are moved, so that none lies on another. */
function shiftsOf(ranges: readonly (readonly [minMs: number, maxMs: number])[]): number[] {
  const exponent = (ms: number) => Math.log10(Math.max(ms, 1e-3));
  const top = Math.ceil(Math.max(...ranges.map(([, max]) => exponent(max))));
  const bottom = Math.floor(Math.min(...ranges.map(([min]) => exponent(min))));
  const wantedPx = ranges.map(([, max]) => ((top - exponent(max)) / Math.max(1, top - bottom)) * AREA_PX);
  const shiftsPx = ranges.map(() => 0);
  let free = Number.NEGATIVE_INFINITY;
  for (const index of [...wantedPx.keys()].sort((a, b) => (wantedPx[a] ?? 0) - (wantedPx[b] ?? 0))) {
    const at = Math.max(wantedPx[index] ?? 0, free);
    shiftsPx[index] = at - (wantedPx[index] ?? 0);
    free = at + LINE_PX;
  }
  return shiftsPx;
}

/** 2 → `99 %`. */
function shareOf(value: number): string {
  return value === 0 ? '0 %' : `${Number((100 * (1 - 10 ** -value)).toFixed(Math.max(0, Math.ceil(value) - 2) + 1))} %`;
}
