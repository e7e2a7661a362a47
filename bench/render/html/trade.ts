/** The trade that every policy makes: how much slower messages become, against what the CPU threads keep. */
import { figureOf, type MetricName } from '../../figures/metrics.ts';
import type { Summary } from '../../figures/summary.ts';
import { writeFigure } from '../format.ts';
import type { Group, Table } from '../table.ts';
import { rounded, type TradeChart } from './charts.ts';
import type { Figure } from './figure.ts';
import type { Looks } from './looks.ts';

const HEIGHT_PX = 420;

/** Null where no cell has both figures. */
export function tradeFigure(group: Group, looks: Looks): Figure | null {
  const points = group.summaries.flatMap((summary): TradeChart['points'][number][] => {
    const [keeps, slowdown] = [figureOf(summary, 'spinners-keep'), figureOf(summary, 'slowdown')];
    const { policy, server } = summary.cell;
    return keeps === null || slowdown === null
      ? []
      : [{ policy, server, look: looks(policy), keepsPercent: rounded(keeps * 100), slowdown: rounded(slowdown) }];
  });
  if (points.length === 0) return null;
  return {
    title: `${group.title}: the trade`,
    panels: [
      {
        title: 'messages against the CPU threads',
        summary: `Slowdown of messages and share of their work that CPU threads keep. ${points.map(sentence).join('. ')}.`,
        chart: { kind: 'trade', points },
        heightPx: HEIGHT_PX,
      },
    ],
    panelWidth: 'wide',
    notes: [
      'Best is at the bottom right: messages as fast as without CPU threads, and CPU threads as fast as without messages. A policy that ' +
        'answers fast by starving the CPU threads is at the left.',
    ],
    tables: [tableOf(group)],
  };
}

const COLUMNS = [
  ['× unloaded', 'slowdown'],
  ['keeps', 'spinners-keep'],
] as const satisfies readonly (readonly [string, MetricName])[];

function tableOf({ title, summaries }: Group): Table {
  const write = (summary: Summary, name: MetricName) => writeFigure(name, figureOf(summary, name));
  return {
    title: `${title}: what messages pay, and what CPU threads keep`,
    head: ['server', 'policy', ...COLUMNS.map(([name]) => name)],
    keys: 2,
    rows: summaries.map((summary) => [
      summary.cell.server,
      summary.cell.policy,
      ...COLUMNS.map(([, name]) => write(summary, name)),
    ]),
    notes: [],
  };
}

function sentence({ policy, server, keepsPercent, slowdown }: TradeChart['points'][number]): string {
  return `${policy}, ${server}: ${writeFigure('slowdown', slowdown)} times as long, CPU threads keep ${Math.round(keepsPercent)} per cent`;
}
