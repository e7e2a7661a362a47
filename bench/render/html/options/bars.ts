/** Bars, for the chart library. */
import type { EChartsOption } from 'echarts';
import type { BarsChart } from '../charts.ts';
import { axis, FONT, FRAME, INK, written } from './frame.ts';
import { lookOf } from './looks.ts';

/** For what is written beside the bars. */
const LABEL_PX = 112;
const LONG_LABEL_PX = 184;
const NAMES_PX = 104;
const WIDE_NAMES_PX = 190;
/** A slanted gap near the end of a bar that is cut. */
const CUT = 'path://M0 10L4 0H7L3 10Z';

export function barsOption({ unit, axisMax, rows, limits }: BarsChart): EChartsOption {
  const cut = (value: number) => value > axisMax;
  const shown = (value: number) => Math.min(value, axisMax);
  const published = rows.some(({ talk }) => talk !== null);
  const long = rows.some(({ text }) => text.length > 18);
  const cuts = rows.flatMap(({ value, talk }, row) => [
    ...(value !== null && cut(value) ? [[axisMax * 0.93, row, published ? -7 : 0]] : []),
    ...(talk !== null && cut(talk.value) ? [[axisMax * 0.93, row, 7]] : []),
  ]);
  const label = (text: string, colour: string) => ({
    show: true,
    position: 'right' as const,
    ...FONT,
    fontSize: 11,
    color: colour,
    formatter: () => text,
  });
  return {
    ...FRAME,
    tooltip: { show: false },
    grid: {
      left: rows.some(({ label }) => label.length > 16) ? WIDE_NAMES_PX : NAMES_PX,
      right: long ? LONG_LABEL_PX : LABEL_PX,
      top: limits.length > 0 ? 26 : 4,
      bottom: 28,
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: axisMax,
      splitNumber: 3,
      ...axis(''),
      axisLabel: { ...FONT, formatter: (value: number) => (value === 0 ? '0' : `${written(value)} ${unit}`) },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ label }) => label),
      ...axis(''),
      axisLabel: { ...FONT, color: INK, interval: 0, width: WIDE_NAMES_PX - 12, overflow: 'truncate' },
      splitLine: { show: false },
    },
    series: [
      {
        name: 'measured',
        type: 'bar',
        barWidth: 12,
        barGap: '15%',
        silent: true,
        data: rows.map(({ value, text, look }) => ({
          value: value === null ? 0 : shown(value),
          itemStyle: { color: lookOf(look).colour },
          label: label(text, INK),
        })),
        markLine: {
          symbol: 'none',
          silent: true,
          label: { ...FONT, fontSize: 11, formatter: '{b}', position: 'end' as const, distance: 4 },
          lineStyle: { color: 'var(--quiet)', type: 'dashed' },
          data: limits.map(({ at, label: name }) => ({ name, xAxis: at })),
        },
      },
      ...(published
        ? [
            {
              name: 'in the talk',
              type: 'bar' as const,
              barWidth: 12,
              silent: true,
              data: rows.map(({ talk }) => ({
                value: talk === null ? 0 : shown(talk.value),
                itemStyle: {
                  color: 'url(#hatch-talk)',
                  borderColor: 'var(--quiet)',
                  borderWidth: talk === null ? 0 : 1,
                },
                label: label(talk === null ? '' : talk.text, 'var(--quiet)'),
              })),
            },
          ]
        : []),
      {
        name: 'the same unloaded',
        type: 'scatter',
        silent: true,
        symbol: 'rect',
        symbolSize: [2, published ? 14 : 18],
        symbolOffset: [0, published ? -7 : 0],
        itemStyle: { color: INK },
        data: rows.flatMap(({ mark }, row) => (mark === null || cut(mark) ? [] : [[mark, row]])),
        z: 5,
      },
      {
        name: 'cut',
        type: 'scatter',
        silent: true,
        symbol: CUT,
        symbolSize: [10, 16],
        itemStyle: { color: 'var(--paper)' },
        data: cuts.map(([x = 0, y = 0, offset = 0]) => ({ value: [x, y], symbolOffset: [0, offset] })),
        z: 6,
      },
    ],
  };
}
