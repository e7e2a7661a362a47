/** The result as a table in the terminal, and the lines around it that say what it is. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { formatDuration } from '../lock/duration.ts';
import { TICK_NS } from '../lock/interpreter.ts';
import type { Result } from './result.ts';
import { formatSize } from './size.ts';
import type { Spread } from './statistics.ts';
import { type Summary, summarize } from './summary.ts';

const HEAD = [
  'server',
  'policy',
  'scenario',
  's / 10,000',
  '× unloaded',
  'p50 ms',
  'p99 ms',
  'max ms',
  'trans.',
  'steals',
  'waits',
  'CPU thr.',
];

/**
 * Renders a result.
 *
 * @returns lines for people, the same numbers as in the file
 */
export function renderResult(result: Result): string {
  const summaries = summarize(result);
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    colAligns: HEAD.map((_, column) => (column < 3 ? 'left' : 'right')),
    chars: TABLE_CHARS,
  });
  for (const summary of summaries) table.push(row(summary));
  return [
    ...headLines(result),
    '',
    table.toString(),
    '',
    ...footLines(summaries),
    ...result.warnings.map(({ message, advice }) => `${styleText('yellow', 'warning')} ${message}: ${advice}`),
  ].join('\n');
}

/** Lines between rows and columns cost width; the columns are aligned instead. */
const TABLE_CHARS = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

function headLines(result: Result): string[] {
  const { workload, environment } = result;
  const spinners = result.cells.some(({ scenario }) => scenario === 'loaded')
    ? `, loaded: ${plural(workload.spinners, 'CPU thread')} beside the server`
    : '';
  return [
    `${plural(workload.messages, 'message')} of ${formatSize(workload.payloadBytes)} echoed, ` +
      `${formatDuration(workload.delayNs)} pause after each, one client${spinners}`,
    `${plural(result.rounds, 'round')} in an order shuffled by seed ${result.seed}; ` +
      `interpreter cost ${formatDuration(workload.interpreterCostNs)} a call, tick ${TICK_NS} ns`,
    `${environment.cpu}, ${plural(environment.cpuCount, 'CPU')}, Linux ${environment.kernel}, Node ${environment.node}, ` +
      `Convoy ${environment.convoy}${environment.revision === null ? '' : ` (${environment.revision})`}`,
    ...(result.interrupted ? [styleText('yellow', 'interrupted: only what was finished is shown')] : []),
  ];
}

function footLines(summaries: readonly Summary[]): string[] {
  const projected = summaries.some((summary) => summary.projected);
  const overBudget = summaries.some((summary) => summary.overBudget);
  return [
    `s / 10,000: time for 10,000 messages, pauses included, median of rounds (lowest–highest)${
      projected ? '; projected from fewer' : ''
    }${overBudget ? '; * stopped at the time budget' : ''}`,
    '× unloaded: against the same policy unloaded, round by round. p50, p99, max: round trips of all rounds',
    'trans., steals, waits: per message, releases of the lock; those in which another took it; those that cost a sleep',
    'CPU thr.: what the CPU threads get, against running alone under the same policy',
  ];
}

function row(summary: Summary): string[] {
  const { cell, totalNs, slowdown, rttNs, perMessage, spinnerKeeps, overBudget, messages, measuredRounds } = summary;
  const names = [cell.server, cell.policy, cell.scenario];
  if (measuredRounds === 0) return [...names, summary.failures.length > 0 ? 'failed' : 'not run', ...Array(8).fill('')];
  if (messages === 0) return [...names, 'no message came back', ...Array(8).fill('')];
  return [
    ...names,
    `${spread(totalNs, (ns) => (ns / 1e9).toFixed(1))}${overBudget ? '*' : ''}`,
    spread(slowdown, (ratio) => ratio.toFixed(2)),
    milliseconds(rttNs.p50),
    milliseconds(rttNs.p99),
    milliseconds(rttNs.max),
    perMessage.transitions?.toFixed(2) ?? '',
    perMessage.steals?.toFixed(2) ?? '',
    perMessage.waits?.toFixed(2) ?? '',
    spinnerKeeps === null ? '' : `${(spinnerKeeps.median * 100).toFixed(0)} %`,
  ];
}

function spread(value: Spread | null, write: (n: number) => string): string {
  if (value === null) return '';
  const { median, min, max } = value;
  return min === max ? write(median) : `${write(median)} (${write(min)}–${write(max)})`;
}

function milliseconds(ns: number): string {
  const ms = ns / 1e6;
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3);
}

function plural(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}
