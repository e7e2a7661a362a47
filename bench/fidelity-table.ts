/** Fidelity as tables in the terminal: for each pair and server the figures, and the two distributions beside each other. */
import Table from 'cli-table3';
import type { Comparison, Figure } from './fidelity.ts';

const HEAD = ['figure', 'emulated', 'real', 'emulated ÷ real', '95 %', 'allowed', 'verdict'];

/**
 * Renders comparisons.
 *
 * @param unpaired what was asked for and is compared with nothing, a line each
 */
export function renderFidelity(comparisons: readonly Comparison[], unpaired: readonly string[]): string {
  return [...comparisons.flatMap((comparison) => [...lines(comparison), '']), ...unpaired, ...FOOT].join('\n');
}

const FOOT = [
  'unloaded: time a message, pause included; excess: what loading adds to it; p50, p90, p99: round trips, loaded;',
  'CPU thread keeps: of what it does alone. 95 %: by drawing rounds again. pass and fail: the whole interval is within or beyond',
  'what is allowed. pypy16 is PyPy 1.6, of which none is alive to compare with. KS: Kolmogorov–Smirnov distance of the round trips, 0 alike to 1 apart.',
];

function lines(comparison: Comparison): string[] {
  const name = `${comparison.policy} beside ${comparison.reference}, ${comparison.server}`;
  if (comparison.state === 'missing') return [`${name}: not compared: ${comparison.why}`];
  const { figures, distance, percentiles, verdict, rounds } = comparison;
  const table = newTable(HEAD);
  for (const figure of figures) table.push(row(figure));
  const distributions = newTable(['loaded, ms', ...percentiles.map(({ percent }) => `p${percent}`)]);
  distributions.push(['emulated', ...percentiles.map(({ emulatedNs }) => milliseconds(emulatedNs))]);
  distributions.push(['real', ...percentiles.map(({ realNs }) => milliseconds(realNs))]);
  return [
    `${name}: ${verdict} (${rounds} rounds; KS unloaded ${distance.unloaded.toFixed(2)}, loaded ${distance.loaded.toFixed(2)})`,
    table.toString(),
    distributions.toString(),
  ];
}

function row({ name, unit, emulated, real, ratio, interval, allowed, verdict }: Figure): string[] {
  const write = unit === 'share' ? (value: number) => `${(value * 100).toFixed(0)} %` : withUnit;
  return [
    name,
    write(emulated),
    write(real),
    ratio.toFixed(2),
    interval === null ? 'one round' : `${interval.low.toFixed(2)}–${interval.high.toFixed(2)}`,
    allowed === null ? '' : `± ${write(allowed)}`,
    verdict ?? '',
  ];
}

function newTable(head: string[]) {
  return new Table({
    head,
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
}

const withUnit = (ns: number) => `${milliseconds(ns)} ms`;

function milliseconds(ns: number): string {
  return (ns / 1e6).toPrecision(3);
}
