/** Slowdown by the number of CPUs, for the chart library. */
import type { EChartsOption } from 'echarts';
import type { SweepChart } from '../charts.ts';
import { axis, FONT, FRAME, INK, written } from './frame.ts';
import { lookOf } from './looks.ts';

/** Beyond this the axis is logarithmic, or all lines but one would lie on it. */
const LINEAR_SLOWDOWN = 15;

export function sweepOption({ series }: SweepChart, widthPx: number): EChartsOption {
  const points = series.flatMap((each) => each.points);
  const slowest = Math.max(...points.map(([, slowdown]) => slowdown));
  const scale = slowest > LINEAR_SLOWDOWN ? { type: 'log' as const } : { type: 'value' as const, min: 0 };
  return {
    ...FRAME,
    tooltip: { ...FRAME.tooltip, valueFormatter: (value) => `${written(Number(value))}×` },
    grid: { left: 50, right: widthPx < 400 ? 84 : 104, top: 16, bottom: 46 },
    xAxis: { type: 'value', min: 0, ...axis('CPUs'), nameLocation: 'middle', nameGap: 28 },
    yAxis: { ...scale, ...axis(''), axisLabel: { ...FONT, formatter: (value: number) => `${written(value)}×` } },
    series: series.map(({ label, look, points: own }) => {
      const { colour, dash, symbol } = lookOf(look);
      const last = own.at(-1) ?? [0, 0];
      const name = { show: true, ...FONT, color: INK, formatter: () => label, position: 'right' as const };
      return {
        name: label,
        type: 'line',
        symbol: `path://${symbol}`,
        symbolSize: 8,
        lineStyle: { color: colour, width: 2, type: dash.length === 0 ? 'solid' : [...dash] },
        itemStyle: { color: colour },
        emphasis: { disabled: true },
        labelLayout: { moveOverlap: 'shiftY' as const },
        data: [...own.slice(0, -1).map((point) => [...point]), { value: [...last], label: name }],
      };
    }),
  };
}
