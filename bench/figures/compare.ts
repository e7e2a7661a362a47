/** Two results beside each other: what became faster or slower, and what else is different between them. */

import type { Result } from '../result/result.ts';
import { bootstrapInterval, type Interval } from './bootstrap.ts';
import { figureOf, METRICS, type MetricName } from './metrics.ts';
import { nameOfCell, type Summary, summarize } from './summary.ts';

/** What is compared of each cell. */
export const COMPARED = ['total', 'p50', 'p99'] as const satisfies readonly MetricName[];

/** `one-round`: a file with a single round of the cell cannot tell scatter from change. */
export type Change = 'faster' | 'slower' | 'no-difference' | 'one-round' | 'not-measured';

/** One metric of one cell, the second file against the first. */
export interface ComparedFigure {
  readonly metric: MetricName;
  readonly first: number | null;
  readonly second: number | null;
  readonly ratio: number | null;
  /** 95 %, both files' rounds drawn again. */
  readonly interval: Interval | null;
  readonly change: Change;
}

export interface Comparison {
  readonly cells: readonly { readonly name: string; readonly figures: readonly ComparedFigure[] }[];
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  /** What was not the same in both runs: `workload.messages: 500, 10000`. */
  readonly differences: readonly string[];
}

/** Differ between any two runs, and are no reason to doubt a comparison. */
const EXPECTED_TO_DIFFER: ReadonlySet<string> = new Set(['loadBefore', 'loadAfter', 'stolenShare']);

export function compareResults(first: Result, second: Result): Comparison {
  const seconds = new Map(summarize(second).map((summary) => [nameOfCell(summary.cell), summary]));
  const firsts = summarize(first);
  const names = new Set(firsts.map(({ cell }) => nameOfCell(cell)));
  return {
    cells: firsts.flatMap((summary) => {
      const other = seconds.get(nameOfCell(summary.cell));
      if (other === undefined) return [];
      const figures = COMPARED.map((metric) => compareFigure(metric, summary, other, first.seed));
      return [{ name: nameOfCell(summary.cell), figures }];
    }),
    onlyFirst: [...names].filter((name) => !seconds.has(name)),
    onlySecond: [...seconds.keys()].filter((name) => !names.has(name)),
    differences: [
      ...differing('workload', first.workload, second.workload),
      ...differing('environment', first.environment, second.environment),
      ...differing('number of', { machines: machinesOf(first) }, { machines: machinesOf(second) }),
      ...(first.serverEnvironment === undefined || second.serverEnvironment === undefined
        ? []
        : differing("server's environment", first.serverEnvironment, second.serverEnvironment)),
      ...differing('policy', policiesOf(first, second), policiesOf(second, first)),
    ],
  };
}

function compareFigure(metric: MetricName, first: Summary, second: Summary, seed: number): ComparedFigure {
  const values = { metric, first: figureOf(first, metric), second: figureOf(second, metric) };
  const ratio = ratioOf(values.second, values.first);
  if (ratio === null) return { ...values, ratio, interval: null, change: 'not-measured' };
  const { of } = METRICS[metric];
  const interval = bootstrapInterval(
    [first.rounds, second.rounds],
    ([before = [], after = []]) => ratioOf(of(after), of(before)),
    seed,
  );
  return { ...values, ratio, interval, change: interval === null ? 'one-round' : changeOf(interval) };
}

function ratioOf(value: number | null, base: number | null): number | null {
  return value === null || base === null || base === 0 ? null : value / base;
}

/** All that is compared is time: less is faster. */
function changeOf({ low, high }: Interval): Change {
  if (high < 1) return 'faster';
  return low > 1 ? 'slower' : 'no-difference';
}

function machinesOf({ serverEnvironment }: Result): number {
  return serverEnvironment === undefined ? 1 : 2;
}

/** Policies of one label may still not be the same: a file of the user's, another default. One that only one file has shows by its cells. */
function policiesOf({ policies }: Result, other: Result): Record<string, unknown> {
  const used = (result: Result, label: string) => result.cells.some(({ policy }) => policy === label);
  return Object.fromEntries(policies.filter(({ label }) => used(other, label)).map((spec) => [spec.label, spec]));
}

function differing(what: string, first: Readonly<Record<string, unknown>>, second: Readonly<Record<string, unknown>>) {
  // What one file does not say, as on which CPUs, is another thing than what the other says.
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  return names.flatMap((name) => {
    const [before, after] = [first[name], second[name]].map((value) => JSON.stringify(value) ?? 'not said');
    return before === after || EXPECTED_TO_DIFFER.has(name) ? [] : [`${what} ${name}: ${before}, ${after}`];
  });
}
