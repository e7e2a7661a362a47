/** How far a simulated result is from a measured one: the excess time a message, cell by cell. */
import Table from 'cli-table3';
import { type Spread, spreadOf } from '../figures/statistics.ts';
import type { Cell, Result } from '../result/result.ts';

interface Compared {
  readonly name: readonly string[];
  /** Of its rounds, ns. */
  readonly measured: Spread;
  readonly simulatedNs: number;
}

/**
 * Excess: what a message takes more than in the same server under the same policy unloaded. For the unloaded cells, where that is
 * nothing, all that it takes more than the pause.
 */
export function compareWithMeasured(simulated: Result, measured: Result): Compared[] {
  return measured.cells.flatMap((cell) => {
    const same = simulated.cells.find((other) => isSame(other, cell));
    const ofRounds = excessNs(cell, measured);
    const simulatedNs = same === undefined ? null : (excessNs(same, simulated)?.median ?? null);
    if (ofRounds === null || simulatedNs === null) return [];
    return [{ name: [cell.server, cell.policy, cell.scenario], measured: ofRounds, simulatedNs }];
  });
}

/**
 * Renders the comparison, as the table of docs/SIMULATOR.md. How far the rounds of a measurement are from each other is beside it: nearer than
 * they are to themselves no simulation can be to them.
 */
export function renderComparison(compared: readonly Compared[]): string {
  const head = ['server', 'policy', 'scenario', 'measured µs', 'its rounds µs', 'simulated µs', 'simulated ÷ measured'];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i < 3 ? 'left' : 'right')),
  });
  const us = (ns: number) => (ns / 1e3).toFixed(0);
  for (const { name, measured, simulatedNs } of compared) {
    const { median, min, max } = measured;
    table.push([...name, us(median), `${us(min)} to ${us(max)}`, us(simulatedNs), ratioText(median, simulatedNs)]);
  }
  const telling = compared.filter(isTelling);
  const off = spreadOf(telling.map(({ measured, simulatedNs }) => offBy(simulatedNs, measured)));
  const apart = spreadOf(
    telling.map(({ measured }) => Math.max(offBy(measured.min, measured), offBy(measured.max, measured))),
  );
  if (off === null || apart === null) return `${table}\nnothing to compare`;
  const inCells = ({ median, max }: Spread) => `${percent(median)} in the median cell, ${percent(max)} in the worst`;
  return [
    table.toString(),
    `excess over unloaded a message; off by ${inCells(off)}, of ${telling.length} (those whose measured excess is more than ${TELLING_NS / 1e3} µs)`,
    `the round of a measurement that is farthest from its cell's median is off by ${inCells(apart)}`,
  ].join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function offBy(ns: number, { median }: Spread): number {
  return Math.abs(ns / median - 1);
}

/** Below it the excess is the difference of two large numbers, and mostly their noise. */
const TELLING_NS = 50_000;

function isTelling({ measured }: Compared): boolean {
  return measured.median > TELLING_NS;
}

function ratioText(measuredNs: number, simulatedNs: number): string {
  return measuredNs > TELLING_NS ? (simulatedNs / measuredNs).toFixed(2) : '–';
}

function isSame(a: Cell, b: Cell): boolean {
  return a.server === b.server && a.policy === b.policy && a.scenario === b.scenario;
}

function excessNs(cell: Cell, { cells, workload }: Result): Spread | null {
  const own = perMessageNs(cell);
  if (own === null) return null;
  if (cell.scenario === 'unloaded') return less(own, workload.delayNs);
  const unloaded = cells.find((other) => isSame(other, { ...cell, scenario: 'unloaded' }));
  const base = unloaded === undefined ? null : perMessageNs(unloaded);
  return base === null ? null : less(own, base.median);
}

function less({ median, min, max }: Spread, ns: number): Spread {
  return { median: median - ns, min: min - ns, max: max - ns };
}

function perMessageNs({ rounds }: Cell): Spread | null {
  const totals = rounds.flatMap((round) =>
    round.state === 'measured' && round.rttNs.length > 0 ? [round.durationNs / round.rttNs.length] : [],
  );
  return spreadOf(totals);
}
