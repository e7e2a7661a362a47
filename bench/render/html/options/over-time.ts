/** Latency over time, for the chart library: a band from the fastest to the slowest, and the median. */
import type { EChartsOption } from 'echarts';
import type { OverTimeChart } from '../charts.ts';
import { axis, FONT, FRAME, written } from './frame.ts';
import { lookOf } from './looks.ts';

/** With fewer points a line would not be seen. */
const FEW_POINTS = 12;

export function overTimeOption({ look, untilS, points }: OverTimeChart): EChartsOption {
  const { colour } = lookOf(look);
  const few = points.length <= FEW_POINTS;
  const line = { type: 'line' as const, silent: true, emphasis: { disabled: true }, showSymbol: few };
  return {
    ...FRAME,
    tooltip: {
      ...FRAME.tooltip,
      formatter: (parameters) => {
        const [first] = Array.isArray(parameters) ? parameters : [parameters];
        const [at, min, median, max] = points[first?.dataIndex ?? 0] ?? [0, 0, 0, 0];
        return `from ${written(at)} s: ${written(min)} / <b>${written(median)}</b> / ${written(max)} ms`;
      },
    },
    grid: { left: 44, right: 18, top: 26, bottom: 26 },
    xAxis: {
      type: 'value',
      min: 0,
      max: untilS,
      splitNumber: 4,
      ...axis('s'),
      nameGap: 4,
      axisLabel: { ...FONT, showMaxLabel: false },
    },
    yAxis: { type: 'value', min: 0, splitNumber: 3, ...axis('ms') },
    series: [
      {
        ...line,
        name: 'fastest',
        stack: 'band',
        symbol: 'none',
        lineStyle: { opacity: 0 },
        data: points.map(([at, min]) => [at, min]),
      },
      {
        ...line,
        name: 'slowest',
        stack: 'band',
        symbol: 'none',
        lineStyle: { opacity: 0 },
        areaStyle: { color: colour, opacity: 0.28 },
        data: points.map(([at, min, , max]) => [at, max - min]),
      },
      {
        ...line,
        name: 'median',
        symbol: 'circle',
        symbolSize: 4,
        lineStyle: { color: colour, width: 2 },
        itemStyle: { color: colour },
        data: points.map(([at, , median]) => [at, median]),
      },
    ],
  };
}
