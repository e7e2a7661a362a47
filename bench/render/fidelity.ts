/** Fidelity as tables in the terminal: for each pair and server the figures, and the two distributions beside each other. */
import { spreadsOfOriginals } from '../figures/fidelity.ts';
import type { Comparison, Figure } from '../result/fidelity-schema.ts';
import { writeFigure, writeWithUnit } from './format.ts';
import type { Table } from './table.ts';
import { drawTable, type Paint, wrap } from './terminal.ts';

/**
 * Renders comparisons.
 *
 * @param unpaired what was asked for and is compared with nothing, a line each
 */
export function renderFidelity(comparisons: readonly Comparison[], unpaired: readonly string[], paint: Paint): string {
  const parts = comparisons.map((comparison) => render(comparison, paint));
  const originals = originalsTable(comparisons);
  if (originals !== null) parts.push(drawTable(originals, paint));
  return [...parts.flatMap((part) => [part, '']), ...[...unpaired, ...FIDELITY_NOTES].flatMap(wrap)].join('\n');
}

/** How far the interpreters are from each other that one policy emulates; null where there are no two. */
export function originalsTable(comparisons: readonly Comparison[]): Table | null {
  const spreads = spreadsOfOriginals(comparisons);
  const [first] = spreads;
  if (first === undefined) return null;
  return {
    title: 'The originals among themselves: the largest of each figure ÷ the smallest',
    head: ['of', 'server', ...first.figures.map(({ name }) => name)],
    keys: 2,
    rows: spreads.map(({ policy, server, figures }) => [
      policy,
      server,
      ...figures.map(({ ratio }) => (ratio === null ? '' : writeFigure('slowdown', ratio))),
    ]),
    notes: spreads
      .filter(({ policy }, i) => spreads.findIndex((each) => each.policy === policy) === i)
      .map(
        ({ policy, originals }) =>
          `${policy}: ${originals.join(', ')}; a policy cannot be near to all where they are not near to each other`,
      ),
  };
}

/** What the words of a comparison mean. */
export const FIDELITY_NOTES = [
  'unloaded: time a message, pause included; excess: what loading adds to it; p50, p90, p99: round trips, loaded; CPU thread keeps: of what it does alone.',
  '95 %: by drawing rounds again. pass and fail: the whole interval is within or beyond what is allowed. KS: Kolmogorov–Smirnov distance of the round trips, 0 alike to 1 apart.',
  'pypy16 is PyPy 1.6, of which none is alive to compare with.',
];

function render(comparison: Comparison, paint: Paint): string {
  const name = `${comparison.policy} beside ${comparison.reference}, ${comparison.server}`;
  if (comparison.state === 'missing') return wrap(`${name}: not compared: ${comparison.why}`).join('\n');
  const { figures, distance, percentiles, verdict, rounds } = comparison;
  const figureTable = {
    title: `${name}: ${verdict} (${rounds} rounds; KS unloaded ${distance.unloaded.toFixed(2)}, loaded ${distance.loaded.toFixed(2)})`,
    head: ['figure', ...FIGURE_HEAD],
    keys: 1,
    rows: figures.map((figure) => [figure.name, ...figureRow(figure)]),
    notes: [],
  };
  const distributions = {
    title: 'round trips, loaded, ms',
    head: ['', ...percentiles.map(({ percent }) => `p${percent}`)],
    keys: 1,
    rows: [
      ['emulated', ...percentiles.map(({ emulatedNs }) => writeFigure('p50', emulatedNs))],
      ['real', ...percentiles.map(({ realNs }) => writeFigure('p50', realNs))],
    ],
    notes: [],
  };
  return [figureTable, distributions].map((table) => drawTable(table, paint)).join('\n\n');
}

/** Columns of {@link figureRow}. */
export const FIGURE_HEAD = ['emulated', 'real', 'emulated ÷ real', '95 %', 'allowed', 'verdict'] as const;

/** A figure without its name. */
export function figureRow({ unit, emulated, real, ratio, interval, allowed, verdict }: Figure): string[] {
  const write = (value: number) => writeWithUnit(unit === 'share' ? 'spinners-keep' : 'p50', value);
  return [
    write(emulated),
    write(real),
    writeFigure('slowdown', ratio),
    interval === null ? 'one round' : `${interval.low.toFixed(2)}–${interval.high.toFixed(2)}`,
    allowed === null ? '' : `± ${write(allowed)}`,
    verdict ?? '',
  ];
}
