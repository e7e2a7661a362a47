/** What a reader should take away, in a line: made of the figures that the tables show. */
import { figureOf, type MetricName } from '../../figures/metrics.ts';
import type { Summary } from '../../figures/summary.ts';
import { plural, writeFigure, writeWithUnit } from '../format.ts';

/** Policies in it, in their order; of more a reader remembers none. */
const NAMED = 4;

export function headlineOf(summaries: readonly Summary[]): string {
  const gui = summaries.filter(({ cell }) => cell.scenario === 'gui');
  if (gui.length > 0) return sentence('From a key to the screen:', gui, 'p50', (value) => writeWithUnit('p50', value));
  const loaded = summaries.filter(({ cell }) => cell.scenario === 'loaded');
  const text = sentence(
    'Beside a CPU thread, messages take up to',
    loaded,
    'slowdown',
    (value) => `${writeFigure('slowdown', value)}×`,
  );
  if (text !== '') return text.replace('×', '× as long');
  const count = (of: (summary: Summary) => string) => new Set(summaries.map(of)).size;
  return `${plural(
    count(({ cell }) => cell.server),
    'server',
  )} under ${count(({ cell }) => cell.policy)} ${count(({ cell }) => cell.policy) === 1 ? 'policy' : 'policies'}`;
}

/** Empty where no cell has the figure. */
function sentence(
  what: string,
  summaries: readonly Summary[],
  metric: MetricName,
  write: (value: number) => string,
): string {
  const policies = [...new Set(summaries.map(({ cell }) => cell.policy))];
  const parts = policies.flatMap((policy) => {
    const values = summaries
      .filter(({ cell }) => cell.policy === policy)
      .map((summary) => figureOf(summary, metric))
      .filter((value) => value !== null);
    return values.length === 0 ? [] : [`${write(Math.max(...values))} under ${policy}`];
  });
  return parts.length === 0 ? '' : `${what} ${parts.slice(0, NAMED).join(', ')}${parts.length > NAMED ? ', …' : ''}`;
}
