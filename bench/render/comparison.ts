/** Two results beside each other, in the terminal. */
import { type Change, COMPARED, type ComparedFigure, type Comparison } from '../figures/compare.ts';
import { METRICS } from '../figures/metrics.ts';
import { writeFigure, writeInterval } from './format.ts';
import type { Table } from './table.ts';
import { drawTable, type Paint, wrap } from './terminal.ts';

const WORDS: Readonly<Record<Change, string>> = {
  faster: 'faster',
  slower: 'slower',
  'no-difference': 'no difference seen',
  'one-round': 'one round, cannot tell',
  'not-measured': 'not measured',
};

/**
 * Renders a comparison.
 *
 * @param names what the two files are called
 */
export function renderComparison(comparison: Comparison, names: readonly [string, string], paint: Paint): string {
  const { cells, onlyFirst, onlySecond, differences } = comparison;
  const [first, second] = names;
  const only = (cellsOf: readonly string[], file: string) =>
    cellsOf.length === 0 ? [] : wrap(`only in ${file}: ${cellsOf.join(', ')}`);
  return [
    ...wrap(`a: ${first}`),
    ...wrap(`b: ${second}`),
    '',
    ...(cells.length === 0
      ? ['the files have no cell in common']
      : COMPARED.map((metric, i) => drawTable(tableOf(metric, comparison, i), paint))
          .join('\n\n')
          .split('\n')),
    '',
    ...only(onlyFirst, 'a'),
    ...only(onlySecond, 'b'),
    ...differences.flatMap((text) =>
      wrap(`warning not the same in a and b: ${text}`).map((line) =>
        line.replace(/^warning/, paint('yellow', 'warning')),
      ),
    ),
  ].join('\n');
}

function tableOf(metric: (typeof COMPARED)[number], { cells }: Comparison, index: number): Table {
  return {
    title: `${metric}: ${METRICS[metric].meaning}`,
    head: ['cell', `a, ${METRICS[metric].unit === 'seconds' ? 's' : 'ms'}`, 'b', 'b / a', '95 % interval', ''],
    keys: 1,
    rows: cells.map(({ name, figures }) => [name, ...row(figures[index])]),
    notes: [],
  };
}

function row(figure: ComparedFigure | undefined): string[] {
  if (figure === undefined) return [];
  const { metric, first, second, ratio, interval, change } = figure;
  return [
    writeFigure(metric, first),
    writeFigure(metric, second),
    writeFigure('slowdown', ratio),
    interval === null ? '' : writeInterval('slowdown', interval),
    WORDS[change],
  ];
}
