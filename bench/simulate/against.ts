/** How far a simulated result is from a measured one: the excess time a message, cell by cell. */
import Table from 'cli-table3';
import { spreadOf } from '../figures/statistics.ts';
import type { Cell, Result } from '../result/result.ts';

interface Compared {
  readonly name: readonly string[];
  readonly measuredNs: number;
  readonly simulatedNs: number;
}

/**
 * Excess: what a message takes more than in the same server under the same policy unloaded. For the unloaded cells, where that is
 * nothing, all that it takes more than the pause.
 */
export function compareWithMeasured(simulated: Result, measured: Result): Compared[] {
  return measured.cells.flatMap((cell) => {
    const same = simulated.cells.find((other) => isSame(other, cell));
    const measuredNs = excessNs(cell, measured);
    const simulatedNs = same === undefined ? null : excessNs(same, simulated);
    if (measuredNs === null || simulatedNs === null) return [];
    return [{ name: [cell.server, cell.policy, cell.scenario], measuredNs, simulatedNs }];
  });
}

/** Renders the comparison, as the table of docs/SIMULATOR.md. */
export function renderComparison(compared: readonly Compared[]): string {
  const head = ['server', 'policy', 'scenario', 'measured µs', 'simulated µs', 'simulated ÷ measured'];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i < 3 ? 'left' : 'right')),
  });
  const us = (ns: number) => (ns / 1e3).toFixed(0);
  for (const { name, measuredNs, simulatedNs } of compared) {
    table.push([...name, us(measuredNs), us(simulatedNs), ratioText(measuredNs, simulatedNs)]);
  }
  const errors = compared
    .filter(isTelling)
    .map(({ measuredNs, simulatedNs }) => Math.abs(simulatedNs / measuredNs - 1));
  const spread = spreadOf(errors);
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  return [
    table.toString(),
    spread === null
      ? 'nothing to compare'
      : `excess over unloaded a message; off by ${percent(spread.median)} in the median cell, ${percent(spread.max)} in the worst, of ${errors.length} (those whose measured excess is more than ${TELLING_NS / 1e3} µs)`,
  ].join('\n');
}

/** Below it the excess is the difference of two large numbers, and mostly their noise. */
const TELLING_NS = 50_000;

function isTelling({ measuredNs }: Compared): boolean {
  return measuredNs > TELLING_NS;
}

function ratioText(measuredNs: number, simulatedNs: number): string {
  return measuredNs > TELLING_NS ? (simulatedNs / measuredNs).toFixed(2) : '–';
}

function isSame(a: Cell, b: Cell): boolean {
  return a.server === b.server && a.policy === b.policy && a.scenario === b.scenario;
}

function excessNs(cell: Cell, { cells, workload }: Result): number | null {
  const own = perMessageNs(cell);
  if (cell.scenario === 'unloaded') return own === null ? null : own - workload.delayNs;
  const unloaded = cells.find((other) => isSame(other, { ...cell, scenario: 'unloaded' }));
  const base = unloaded === undefined ? null : perMessageNs(unloaded);
  return own === null || base === null ? null : own - base;
}

function perMessageNs({ rounds }: Cell): number | null {
  const totals = rounds.flatMap((round) =>
    round.state === 'measured' && round.rttNs.length > 0 ? [round.durationNs / round.rttNs.length] : [],
  );
  return spreadOf(totals)?.median ?? null;
}
