/** The gui scenario: how long a key takes to reach the screen, a bar for each policy, against what people notice. */
import { figureOf } from '../../figures/metrics.ts';
import { writeWithUnit } from '../format.ts';
import { lagTable } from '../lag.ts';
import type { Group } from '../table.ts';
import { axisMaxOf } from './bars.ts';
import { type BarRow, rounded } from './charts.ts';
import type { Figure } from './figure.ts';
import type { Looks } from './looks.ts';

const ROW_PX = 34;
const AXIS_PX = 64;

/** What `over-…` counts, too. */
const LIMITS = [
  { at: 16.7, label: 'a frame' },
  { at: 100, label: 'at once' },
  { at: 1_000, label: 'a thought' },
] as const;

export function lagFigure(group: Group, looks: Looks): Figure {
  const rows = group.summaries.map((summary): BarRow => {
    const { policy } = summary.cell;
    const [median, longest] = [figureOf(summary, 'p50'), figureOf(summary, 'max')];
    return {
      label: policy,
      look: looks(policy),
      value: median === null ? null : rounded(median / 1e6),
      text:
        median === null || longest === null
          ? 'not measured'
          : `${writeWithUnit('p50', median)}, at most ${writeWithUnit('max', longest)}`,
      talk: null,
      mark: longest === null ? null : rounded(longest / 1e6),
    };
  });
  // Here the longest bar is what it is about.
  const axisMax = axisMaxOf(rows.map((row) => ({ ...row, value: null, mark: null, talk: longestOf(rows) })));
  return {
    title: `${group.title}: from a key to the screen`,
    panels: [
      {
        title: 'the median key; the line at the end of a bar is the slowest',
        summary: `Milliseconds from a key to the screen. ${rows.map(({ label, text }) => `${label}: ${text}`).join('. ')}.`,
        chart: {
          kind: 'bars',
          policy: '',
          unit: 'ms',
          axisMax,
          rows,
          limits: LIMITS.filter(({ at }) => at <= axisMax),
        },
        heightPx: rows.length * ROW_PX + AXIS_PX,
      },
    ],
    panelWidth: 'wide',
    notes: ['Lines across: a frame of the screen (16.7 ms), what seems at once (100 ms), what breaks a thought (1 s).'],
    tables: [lagTable(group)],
  };
}

function longestOf(rows: readonly BarRow[]): BarRow['talk'] {
  return { value: Math.max(1, ...rows.flatMap(({ value, mark }) => [value ?? 0, mark ?? 0])), text: '' };
}
