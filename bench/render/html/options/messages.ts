/** A typical and a slow message in pieces, for the chart library. */
import type { EChartsOption } from 'echarts';
import type { CellView } from '../charts.ts';
import { axis, FONT, FRAME, INK, written } from './frame.ts';
import { DRAWN, drawState, type StateDatum } from './states.ts';

export function messagesOption({ messages }: CellView): EChartsOption {
  return {
    ...FRAME,
    tooltip: { show: false },
    grid: { left: 104, right: 30, top: 4, bottom: 30 },
    xAxis: {
      type: 'value',
      min: 0,
      max: Math.max(...messages.map(({ rttMs }) => rttMs)),
      splitNumber: 5,
      ...axis('ms'),
      nameGap: 4,
      axisLabel: { ...FONT, showMaxLabel: false, hideOverlap: true },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: messages.map(({ label, rttMs }) => `${label}\n${written(rttMs)} ms`),
      ...axis(''),
      axisLabel: { ...FONT, color: INK, lineHeight: 16 },
      splitLine: { show: false },
    },
    series: [
      {
        // The whole round trip: all there is to see of an interpreter whose lock is not known.
        type: 'bar',
        silent: true,
        barWidth: '88%',
        itemStyle: { color: 'none', borderColor: 'var(--rule)', borderWidth: 1 },
        data: messages.map(({ rttMs }) => rttMs),
      },
      {
        type: 'custom',
        silent: true,
        renderItem: drawState,
        encode: { x: [1, 2], y: 0 },
        data: messages.flatMap(({ segments }, row) =>
          segments.map(({ state, fromMs, untilMs }): StateDatum => [row, fromMs, untilMs, DRAWN.indexOf(state)]),
        ),
      },
    ],
  };
}
