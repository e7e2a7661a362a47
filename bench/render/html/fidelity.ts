/** What `convoy fidelity` found: a verdict for each policy beside its interpreter, and the round trips of both over each other. */

import type { Summary } from '../../figures/summary.ts';
import type { Comparison } from '../../result/fidelity-schema.ts';
import { FIDELITY_NOTES, FIGURE_HEAD, figureRow } from '../fidelity.ts';
import { writeFigure } from '../format.ts';
import type { Table } from '../table.ts';
import type { Figure, Panel } from './figure.ts';
import type { Looks } from './looks.ts';
import { PERCENTILES_NOTES, percentilesPanel, percentilesTable } from './percentiles.ts';

type Compared = Extract<Comparison, { state: 'compared' }>;

/** So that a column of verdicts is read at a glance, and not by a colour. */
const SIGNS: Readonly<Record<Compared['verdict'], string>> = { pass: '✓', fail: '✗', inconclusive: '?' };

/** A line for each policy, interpreter and server: emulated ÷ real of every figure, and the verdict. */
export function verdictTable(comparisons: readonly Comparison[]): Table {
  const names = [...new Set(comparisons.filter(isCompared).flatMap(({ figures }) => figures.map(({ name }) => name)))];
  return {
    title: 'Emulated ÷ real, and whether that is within what is allowed',
    head: ['policy', 'beside', 'server', 'verdict', ...names, 'distance'],
    keys: 3,
    rows: comparisons.map((comparison) => [
      ...[comparison.policy, comparison.reference, comparison.server],
      ...(isCompared(comparison)
        ? [
            `${SIGNS[comparison.verdict]} ${comparison.verdict}`,
            ...names.map((name) => ratioOf(comparison, name)),
            comparison.distance.loaded.toFixed(2),
          ]
        : ['not compared', ...names.map(() => ''), '']),
    ]),
    notes: [
      ...comparisons.flatMap((comparison) =>
        isCompared(comparison) ? [] : `${nameOf(comparison)}: ${comparison.why}`,
      ),
      '✓ the whole interval is within what is allowed, ✗ beyond it, ? it straddles the limit. Distance: Kolmogorov–Smirnov of the loaded round trips.',
      ...FIDELITY_NOTES,
    ],
  };
}

/** A figure for each policy and interpreter: a panel for each server, with the curve of either. */
export function fidelityFigures(
  comparisons: readonly Comparison[],
  summaries: readonly Summary[],
  looks: Looks,
): Figure[] {
  const compared = comparisons.filter(isCompared);
  return [...new Set(compared.map(pairOf))].map((pair) => {
    const ofPair = compared.filter((comparison) => pairOf(comparison) === pair);
    return {
      title: `${pair}: round trips of both, loaded`,
      panels: ofPair.map((comparison) => panelOf(comparison, loadedCells(comparison, summaries), looks)),
      panelWidth: 'middle',
      notes: PERCENTILES_NOTES,
      tables: ofPair.flatMap((comparison) => [
        figuresTable(comparison),
        percentilesTable(`${nameOf(comparison)}: round trip, loaded, ms`, loadedCells(comparison, summaries)),
      ]),
    };
  });
}

function panelOf(comparison: Compared, cells: readonly Summary[], looks: Looks): Panel {
  const { server, distance, verdict } = comparison;
  const what = `${nameOf(comparison)}: ${verdict}, distance of the round trips ${distance.loaded.toFixed(2)}.`;
  return percentilesPanel(server, what, cells, looks);
}

function isCompared(comparison: Comparison): comparison is Compared {
  return comparison.state === 'compared';
}

function pairOf({ policy, reference }: Comparison): string {
  return `${policy} beside ${reference}`;
}

function nameOf(comparison: Comparison): string {
  return `${pairOf(comparison)}, ${comparison.server}`;
}

/** `1.03 ✓`. Its interval is in the table of the pair. */
function ratioOf({ figures }: Compared, name: string): string {
  const figure = figures.find((each) => each.name === name);
  if (figure === undefined) return '';
  const { ratio, verdict } = figure;
  return `${writeFigure('slowdown', ratio)}${verdict === null ? '' : ` ${SIGNS[verdict]}`}`;
}

function figuresTable(comparison: Compared): Table {
  const { figures, rounds, distance } = comparison;
  return {
    title: `${nameOf(comparison)}: ${rounds} rounds, distance unloaded ${distance.unloaded.toFixed(2)}, loaded ${distance.loaded.toFixed(2)}`,
    head: ['figure', ...FIGURE_HEAD],
    keys: 1,
    rows: figures.map((figure) => [figure.name, ...figureRow(figure)]),
    notes: [],
  };
}

/** The policy's, and the interpreter's. */
function loadedCells({ policy, reference, server }: Compared, summaries: readonly Summary[]): Summary[] {
  return [policy, reference].flatMap((label) =>
    summaries.filter(
      ({ cell, rounds }) =>
        cell.policy === label && cell.server === server && cell.scenario === 'loaded' && rounds.length > 0,
    ),
  );
}
