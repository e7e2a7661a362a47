/** For other programs: a line for each cell, every metric of it, unrounded. RFC 4180. */
import { figureOf, intervalOf, METRICS, type MetricName, type Unit } from '../figures/metrics.ts';
import { type Summary, summarize } from '../figures/summary.ts';
import type { Result } from '../result/result.ts';

/** Metrics whose intervals are in the file. */
const WITH_INTERVAL: readonly MetricName[] = ['total', 'slowdown', 'talk-slowdown'];

/** In which unit a metric stands in the file, said by the end of its column's name. */
const UNITS: Readonly<Record<Unit, { readonly suffix: string; readonly divisor: number }>> = {
  seconds: { suffix: '_s', divisor: 1e9 },
  milliseconds: { suffix: '_ms', divisor: 1e6 },
  ratio: { suffix: '', divisor: 1 },
  share: { suffix: '_share', divisor: 1 },
  count: { suffix: '_per_message', divisor: 1 },
};

type Value = string | number | null;
type Column = readonly [name: string, of: (summary: Summary) => Value];

export function renderCsv(result: Result): string {
  const summaries = summarize(result);
  const columns = [...cellColumns(result), ...metricColumns(result.seed), ...waitColumns(summaries)];
  const lines = [columns.map(([name]) => name), ...summaries.map((summary) => columns.map(([, of]) => of(summary)))];
  return lines.map((values) => `${values.map(field).join(',')}\r\n`).join('');
}

const simulatedColumns: Column[] = [
  ['cpus', ({ cell }) => cell.at?.cpus ?? ''],
  ['spinners', ({ cell }) => cell.at?.spinners ?? ''],
];

function cellColumns({ rounds, simulation }: Result): Column[] {
  return [
    ['server', ({ cell }) => cell.server],
    ['policy', ({ cell }) => cell.policy],
    ['scenario', ({ cell }) => cell.scenario],
    ...(simulation === undefined ? [] : simulatedColumns),
    ['rounds_planned', () => rounds],
    ['rounds_measured', ({ measuredRounds }) => measuredRounds],
    ['rounds_failed', ({ failures }) => failures.length],
    ['messages', ({ messages }) => messages],
    ['projected', ({ projected }) => String(projected)],
    ['over_budget', ({ overBudget }) => String(overBudget)],
  ];
}

function metricColumns(seed: number): Column[] {
  const names = Object.keys(METRICS) as MetricName[];
  return names.flatMap((name): Column[] => {
    const { suffix, divisor } = UNITS[METRICS[name].unit];
    const scaled = (value: number | null | undefined) =>
      value === null || value === undefined ? null : value / divisor;
    const column = name.replaceAll('-', '_');
    const figure: Column = [`${column}${suffix}`, (summary) => scaled(figureOf(summary, name))];
    if (!WITH_INTERVAL.includes(name)) return [figure];
    return [
      figure,
      [`${column}_low${suffix}`, (summary) => scaled(intervalOf(summary, name, seed)?.low)],
      [`${column}_high${suffix}`, (summary) => scaled(intervalOf(summary, name, seed)?.high)],
    ];
  });
}

/** The wait histogram, a column for each length. */
function waitColumns(summaries: readonly Summary[]): Column[] {
  const buckets = Math.max(0, ...summaries.map(({ waits }) => waits?.length ?? 0));
  return Array.from({ length: buckets }, (_, i) => {
    const name = i < buckets - 1 ? `waits_below_${2 ** i}_us` : 'waits_longer';
    return [name, ({ waits }) => waits && (waits[i] ?? 0)];
  });
}

/** Quoted where it must be. */
function field(value: Value): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
