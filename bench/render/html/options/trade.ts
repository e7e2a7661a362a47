/** The trade, for the chart library: a symbol for each policy, a point for each server. */
import type { EChartsOption } from 'echarts';
import type { TradeChart } from '../charts.ts';
import { axis, FONT, FRAME, INK, written } from './frame.ts';
import { lookOf } from './looks.ts';

/** Beyond this slowdown the axis is logarithmic, or all but one policy would lie on its line. */
const LINEAR_TO = 15;

export function tradeOption({ points }: TradeChart, widthPx: number): EChartsOption {
  const slowest = Math.max(...points.map(({ slowdown }) => slowdown));
  const most = Math.max(100, ...points.map(({ keepsPercent }) => keepsPercent));
  const policies = [...new Set(points.map(({ policy }) => policy))];
  const vertical = slowest > LINEAR_TO ? { type: 'log' as const, min: 0.5 } : { type: 'value' as const, min: 0 };
  return {
    ...FRAME,
    tooltip: { ...FRAME.tooltip, trigger: 'item', axisPointer: { type: 'none' } },
    grid: { left: 56, right: widthPx < 500 ? 18 : 40, top: 40, bottom: 46 },
    xAxis: {
      type: 'value',
      min: 0,
      max: Math.ceil(most / 20) * 20,
      interval: 20,
      ...axis('CPU threads keep, % of what they do alone'),
      nameLocation: 'middle',
      nameGap: 28,
    },
    yAxis: {
      ...vertical,
      ...axis('messages take, × unloaded'),
      nameTextStyle: { ...FONT, align: 'left', padding: [0, 0, 6, -44] },
      axisLabel: { ...FONT, formatter: (value: number) => `${written(value)}×` },
    },
    series: policies.map((policy) => {
      const own = points.filter((point) => point.policy === policy);
      const { colour, symbol } = lookOf(own[0]?.look ?? 0);
      const top = own.reduce((a, b) => (b.slowdown > a.slowdown ? b : a));
      return {
        name: policy,
        type: 'scatter',
        symbol: `path://${symbol}`,
        symbolSize: 13,
        itemStyle: { color: colour, opacity: 0.9, borderColor: 'var(--paper)', borderWidth: 1 },
        emphasis: { disabled: true },
        labelLayout: { moveOverlap: 'shiftY' as const },
        data: own.map(({ server, keepsPercent, slowdown }) => ({
          name: server,
          value: [keepsPercent, slowdown],
          label: {
            show: server === top.server,
            position: 'top' as const,
            ...FONT,
            color: INK,
            formatter: policy,
          },
        })),
        tooltip: { valueFormatter: (value) => written(Number(value)) },
      };
    }),
  };
}
