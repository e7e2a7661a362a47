/** How far a simulated result is from a measured one: the excess time a message, cell by cell, and the order of the policies on each server. */
import Table from 'cli-table3';
import { bootstrapInterval, type Interval } from '../figures/bootstrap.ts';
import { type Spread, spreadOf } from '../figures/statistics.ts';
import type { Cell, Result } from '../result/result.ts';

/** A cell in both results. */
interface ComparedCell {
  readonly server: string;
  readonly policy: string;
  readonly scenario: string;
  /** Of its rounds, by their number, ns. */
  readonly roundsNs: ReadonlyMap<number, number>;
  readonly measured: Spread;
  /** What their median could have been; null of one round. */
  readonly interval: Interval | null;
  readonly simulatedNs: number;
}

/** Two policies on one server. */
interface ComparedPair {
  readonly server: string;
  readonly scenario: string;
  /** By measured excess, the lesser first. */
  readonly policies: readonly [string, string];
  /** By how much, in the median round; simulated less than 0 where the order is the other one. */
  readonly measuredNs: number;
  readonly simulatedNs: number;
}

export interface AgainstMeasured {
  readonly cells: readonly ComparedCell[];
  /** Those of whose order the measured rounds leave no doubt. */
  readonly pairs: readonly ComparedPair[];
  /** How many there are in all. */
  readonly allPairs: number;
}

/**
 * Excess: what a message takes more than in the same server under the same policy unloaded, round by round, so that what drifts on the machine is
 * in both. For the unloaded cells, where that is nothing, all that it takes more than the pause.
 */
export function compareWithMeasured(simulated: Result, measured: Result): AgainstMeasured {
  const cells = measured.cells.flatMap((cell) => {
    const same = simulated.cells.find((other) => isSame(other, cell));
    const roundsNs = excessNs(cell, measured);
    const ofRounds = spreadOf([...roundsNs.values()]);
    const simulatedNs = same === undefined ? undefined : spreadOf([...excessNs(same, simulated).values()])?.median;
    if (ofRounds === null || simulatedNs === undefined) return [];
    const { server, policy, scenario } = cell;
    const interval = intervalOf([...roundsNs.values()], measured.seed);
    return [{ server, policy, scenario, roundsNs, measured: ofRounds, interval, simulatedNs }];
  });
  const pairs = cells.flatMap((a, i) => cells.slice(i + 1).flatMap((b) => pairOf(a, b)));
  return { cells, pairs: pairs.flatMap((pair) => certain(pair, measured.seed)), allPairs: pairs.length };
}

function pairOf(a: ComparedCell, b: ComparedCell): [ComparedCell, ComparedCell][] {
  return a.scenario !== 'unloaded' && a.server === b.server && a.scenario === b.scenario ? [[a, b]] : [];
}

function intervalOf(values: readonly number[], seed: number): Interval | null {
  return bootstrapInterval([values], ([drawn = []]) => spreadOf(drawn)?.median ?? null, seed);
}

/** The pair, if its order is that of 95 % of what the rounds could have been. */
function certain([a, b]: readonly [ComparedCell, ComparedCell], seed: number): ComparedPair[] {
  const differences = [...b.roundsNs].flatMap(([round, ns]) => {
    const other = a.roundsNs.get(round);
    return other === undefined ? [] : [ns - other];
  });
  const interval = intervalOf(differences, seed);
  const ns = spreadOf(differences)?.median;
  if (interval === null || ns === undefined || (interval.low <= 0 && interval.high >= 0)) return [];
  const { server, scenario } = a;
  const [first, second] = ns > 0 ? [a, b] : [b, a];
  const simulatedNs = second.simulatedNs - first.simulatedNs;
  return [{ server, scenario, policies: [first.policy, second.policy], measuredNs: Math.abs(ns), simulatedNs }];
}

/**
 * Renders the comparison, as the table of docs/SIMULATOR.md. How far the rounds of a measurement are from each other is beside it: nearer than
 * they are to themselves no simulation can be to them.
 */
export function renderComparison({ cells, pairs, allPairs }: AgainstMeasured): string {
  const head = [
    'server',
    'policy',
    'scenario',
    'measured µs',
    '95 %',
    'its rounds',
    'simulated µs',
    'simulated ÷ measured',
  ];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i < 3 ? 'left' : 'right')),
  });
  for (const { server, policy, scenario, measured, interval, simulatedNs } of cells) {
    const { median, min, max } = measured;
    const sure = interval === null ? '–' : `${us(interval.low)} to ${us(interval.high)}`;
    const figures = [us(median), sure, `${us(min)} to ${us(max)}`, us(simulatedNs), ratioText(median, simulatedNs)];
    table.push([server, policy, scenario, ...figures]);
  }
  const telling = cells.filter(isTelling);
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
    ...farText(telling),
    ...orderText(pairs, allPairs),
  ].join('\n');
}

/** Which are far off, and which are so whatever the rounds of their measurement could have been. */
function farText(telling: readonly ComparedCell[]): string[] {
  const far = telling.filter(({ measured, simulatedNs }) => offBy(simulatedNs, measured) > FAR);
  if (far.length === 0) return [];
  const name = ({ server, policy, scenario }: ComparedCell) => `${policy}/${server} ${scenario}`;
  const surely = far.filter(
    ({ interval, simulatedNs }) =>
      interval !== null && (simulatedNs < interval.low * (1 - FAR) || simulatedNs > interval.high * (1 + FAR)),
  );
  const those = surely.length === 0 ? '' : `: ${surely.map(name).join(', ')}`;
  return [
    `off by more than ${percent(FAR)}: ${far.map(name).join(', ')}; whatever their rounds could have been (95 %), ${surely.length}${those}`,
  ];
}

function orderText(pairs: readonly ComparedPair[], allPairs: number): string[] {
  if (allPairs === 0) return [];
  const wrong = pairs.filter(({ simulatedNs }) => simulatedNs <= 0);
  return [
    `two policies on one server: of ${pairs.length} pairs of whose order the measured rounds leave no doubt (95 %), of ${allPairs}, ${pairs.length - wrong.length} are simulated in it`,
    ...wrong.map(
      ({ server, scenario, policies: [first, second], measuredNs, simulatedNs }) =>
        `  not ${server} ${scenario}: ${first} before ${second} by ${us(measuredNs)} µs, simulated by ${us(simulatedNs)}`,
    ),
  ];
}

function us(ns: number): string {
  return (ns / 1e3).toFixed(0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function offBy(ns: number, { median }: Spread): number {
  return Math.abs(ns / median - 1);
}

/** What a simulation is not to be off by in any cell. */
const FAR = 0.4;

/** Below it the excess is the difference of two large numbers, and mostly their noise. */
const TELLING_NS = 50_000;

function isTelling({ measured }: ComparedCell): boolean {
  return measured.median > TELLING_NS;
}

function ratioText(measuredNs: number, simulatedNs: number): string {
  return measuredNs > TELLING_NS ? (simulatedNs / measuredNs).toFixed(2) : '–';
}

function isSame(a: Cell, b: Cell): boolean {
  return a.server === b.server && a.policy === b.policy && a.scenario === b.scenario;
}

/** By the number of the round. */
function excessNs(cell: Cell, { cells, workload }: Result): Map<number, number> {
  const own = perMessageNs(cell);
  if (cell.scenario === 'unloaded') return new Map([...own].map(([round, ns]) => [round, ns - workload.delayNs]));
  const unloaded = cells.find((other) => isSame(other, { ...cell, scenario: 'unloaded' }));
  const base = unloaded === undefined ? new Map<number, number>() : perMessageNs(unloaded);
  return new Map(
    [...own].flatMap(([round, ns]) => {
      const baseNs = base.get(round);
      return baseNs === undefined ? [] : [[round, ns - baseNs]];
    }),
  );
}

function perMessageNs({ rounds }: Cell): Map<number, number> {
  return new Map(
    rounds.flatMap((round) =>
      round.state === 'measured' && round.rttNs.length > 0
        ? [[round.round, round.durationNs / round.rttNs.length]]
        : [],
    ),
  );
}
