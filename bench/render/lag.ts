/** The table of the gui scenario: how long a key takes to reach the screen, against what people notice. */
import { figureOf, type MetricName } from '../figures/metrics.ts';
import { writeFigure } from './format.ts';
import { type Group, isUnloaded, type Table } from './table.ts';

const COLUMNS = [
  ['p50 ms', 'p50'],
  ['p90 ms', 'p90'],
  ['p99 ms', 'p99'],
  ['max ms', 'max'],
  ['> 16.7 ms', 'over-16.7ms'],
  ['> 100 ms', 'over-100ms'],
  ['> 1 s', 'over-1s'],
] as const satisfies readonly (readonly [string, MetricName])[];

export function lagTable(group: Group): Table {
  const { title, summaries } = group;
  return {
    title: `${isUnloaded(group) ? 'The editor alone' : `The editor, ${title}`}: from a key to the screen`,
    head: ['policy', ...COLUMNS.map(([title]) => title)],
    keys: 1,
    rows: summaries.map((summary) => [
      summary.cell.policy,
      ...COLUMNS.map(([, name]) => writeFigure(name, figureOf(summary, name))),
    ]),
    notes: [
      '> 16.7 ms, 100 ms, 1 s: of all keys; a frame of the screen, what seems at once, what breaks a train of thought',
    ],
  };
}
