/**
 * How far each emulated policy is from its original: figures of both from the same rounds, their ratio with its interval, and the distance of
 * the two distributions of round trips. Everything is made from a result file; nothing is measured here.
 */

import { isInterpreter, type ReferenceSpec } from '../reference/interpreter.ts';
import type { Comparison, Figure } from '../result/fidelity-schema.ts';
import {
  type Cell,
  type Column,
  isReference,
  type MeasuredRound,
  type Result,
  type Scenario,
} from '../result/result.ts';
import { bootstrapInterval, type Interval } from './bootstrap.ts';
import { countBelow, percentile, pooledPercentile, type SortedSamples, sortSamples } from './statistics.ts';
import type { Verdict } from './threshold.ts';

/** A policy and what it emulates, by their labels. */
export interface Pair {
  readonly policy: string;
  readonly reference: string;
}

/** Which policy is the emulation of an interpreter; null if none is. PyPy 1.6 has no living interpreter that locks as it did. */
export function emulationOf(spec: ReferenceSpec): string | null {
  if (!isInterpreter(spec) || spec.from.implementation !== 'CPython') return null;
  if (spec.from.freeThreaded) return 'free-threaded';
  return spec.from.language[0] === 2 ? 'py27' : 'py32';
}

/** Each interpreter of a run with the policy that emulates it. */
export function pairsOf(columns: readonly Column[]): Pair[] {
  return columns.filter(isReference).flatMap((reference) => {
    const name = emulationOf(reference);
    const policy = columns.find(
      (column) => !isReference(column) && column.from.kind === 'built-in' && column.from.name === name,
    );
    return policy === undefined ? [] : [{ policy: policy.label, reference: reference.label }];
  });
}

const PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 100];

/** What is allowed: of the real figure, but not less than so many nanoseconds. */
const EXCESS_TOLERANCE = 0.15;
const PERCENTILE_TOLERANCE = 0.2;
const ZEROMQ_TOLERANCE = 0.25;
const UNLOADED_TOLERANCE = 0.05;
/** py27's round trips are fractions of a millisecond. */
const PY27_PERCENTILE_NS = 200_000;

/** A round, prepared so that figures of any selection of rounds are cheap. */
interface Prepared {
  readonly messages: number;
  readonly durationNs: number;
  readonly rttNs: SortedSamples;
  /** What the CPU threads did against what they do alone; null where there are none. */
  readonly spinnerKeeps: number | null;
}

/** The four cells of a comparison, in the order in which the bootstrap draws their rounds. */
interface Quartet {
  readonly emulatedLoaded: readonly Prepared[];
  readonly emulatedUnloaded: readonly Prepared[];
  readonly realLoaded: readonly Prepared[];
  readonly realUnloaded: readonly Prepared[];
}
/** Both cells of one side. */
interface Side {
  readonly loaded: readonly Prepared[];
  readonly unloaded: readonly Prepared[];
}

interface Measure {
  readonly name: string;
  readonly unit: Figure['unit'];
  /** Null where these rounds have no such figure. */
  of(side: Side): number | null;
  /** How far from `real` is near enough; null: no limit is set. */
  allowed(real: number, server: string, policy: string): number | null;
}

const within = (tolerance: number) => (real: number, server: string) =>
  real * (server === 'zeromq' ? Math.max(tolerance, ZEROMQ_TOLERANCE) : tolerance);

function percentileMeasure(percent: number): Measure {
  const relative = within(PERCENTILE_TOLERANCE);
  return {
    name: `p${percent}`,
    unit: 'milliseconds',
    of: ({ loaded }) =>
      pooledPercentile(
        loaded.map(({ rttNs }) => rttNs),
        percent,
      ),
    allowed: (real, server, policy) =>
      Math.max(relative(real, server), policy.startsWith('py27') ? PY27_PERCENTILE_NS : 0),
  };
}

const MEASURES: readonly Measure[] = [
  {
    name: 'unloaded',
    unit: 'milliseconds',
    of: ({ unloaded }) => perMessageNs(unloaded),
    allowed: (real) => real * UNLOADED_TOLERANCE,
  },
  {
    name: 'excess',
    unit: 'milliseconds',
    of: ({ loaded, unloaded }) => perMessageNs(loaded) - perMessageNs(unloaded),
    allowed: within(EXCESS_TOLERANCE),
  },
  ...[50, 90, 99].map(percentileMeasure),
  {
    name: 'CPU thread keeps',
    unit: 'share',
    of({ loaded }) {
      const shares = loaded.flatMap(({ spinnerKeeps }) => (spinnerKeeps === null ? [] : [spinnerKeeps]));
      return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
    },
    allowed: () => null,
  },
];

/** Pauses included. */
function perMessageNs(rounds: readonly Prepared[]): number {
  const sum = (of: (round: Prepared) => number) => rounds.reduce((total, round) => total + of(round), 0);
  return sum(({ durationNs }) => durationNs) / sum(({ messages }) => messages);
}

/** Holds every pair of a result against each other, on every server it was measured with. */
export function compareFidelity(result: Result): Comparison[] {
  const servers = [...new Set(result.cells.map(({ server }) => server))];
  return pairsOf(result.policies).flatMap((pair) => servers.map((server) => comparePair(result, pair, server)));
}

function comparePair(result: Result, pair: Pair, server: string): Comparison {
  const cells: Cell[] = [];
  const roundsOf = (policy: string, scenario: Scenario): Prepared[] => {
    const cell = result.cells.find(
      (each) => each.server === server && each.policy === policy && each.scenario === scenario,
    );
    if (cell !== undefined) cells.push(cell);
    return cell === undefined ? [] : preparedRounds(cell);
  };
  const quartet: Quartet = {
    emulatedLoaded: roundsOf(pair.policy, 'loaded'),
    emulatedUnloaded: roundsOf(pair.policy, 'unloaded'),
    realLoaded: roundsOf(pair.reference, 'loaded'),
    realUnloaded: roundsOf(pair.reference, 'unloaded'),
  };
  const rounds = Math.min(...Object.values(quartet).map(({ length }) => length));
  if (rounds === 0) {
    const failure = cells.flatMap((cell) => cell.rounds).find((round) => round.state === 'failed');
    return { ...pair, server, state: 'missing', why: failure?.message ?? 'it was not measured' };
  }
  const { emulatedLoaded, emulatedUnloaded, realLoaded, realUnloaded } = quartet;
  const figures = MEASURES.flatMap((measure) => figureOf(measure, quartet, pair, server, result.seed) ?? []);
  const pool = (of: readonly Prepared[]) => sortSamples(of.flatMap(({ rttNs }) => [...rttNs]));
  const [emulated, real] = [pool(emulatedLoaded), pool(realLoaded)];
  return {
    ...pair,
    server,
    state: 'compared',
    rounds,
    figures,
    distance: {
      unloaded: kolmogorovSmirnov(pool(emulatedUnloaded), pool(realUnloaded)),
      loaded: kolmogorovSmirnov(emulated, real),
    },
    percentiles: PERCENTS.map((percent) => ({
      percent,
      emulatedNs: percentile(emulated, percent),
      realNs: percentile(real, percent),
    })),
    verdict: worst(figures.flatMap(({ verdict }) => verdict ?? [])),
  };
}

/** How far the originals of one policy are from each other on one server: of each figure, the largest ÷ the smallest. */
export interface Spread {
  readonly policy: string;
  readonly server: string;
  readonly originals: readonly string[];
  /** Null where the smallest is not more than 0: there is no ratio of such. */
  readonly figures: readonly { readonly name: string; readonly ratio: number | null }[];
}

/** Of every policy and server with at least two originals: a policy cannot be near to all where they are not near to each other. */
export function spreadsOfOriginals(comparisons: readonly Comparison[]): Spread[] {
  const compared = comparisons.filter((comparison) => comparison.state === 'compared');
  const cellOf = ({ policy, server }: Comparison) => `${policy} on ${server}`;
  return [...new Set(compared.map(cellOf))].flatMap((name) => {
    const group = compared.filter((comparison) => cellOf(comparison) === name);
    const [first] = group;
    if (first === undefined || group.length < 2) return [];
    const figures = first.figures.map(({ name }) => {
      const real = group.flatMap((each) =>
        each.figures.filter((figure) => figure.name === name).map(({ real }) => real),
      );
      const least = Math.min(...real);
      return { name, ratio: least > 0 ? Math.max(...real) / least : null };
    });
    return { policy: first.policy, server: first.server, originals: group.map(({ reference }) => reference), figures };
  });
}

/** One figure of both sides; null where one of them has none. */
function figureOf(measure: Measure, quartet: Quartet, pair: Pair, server: string, seed: number): Figure | null {
  const groups = [quartet.emulatedLoaded, quartet.emulatedUnloaded, quartet.realLoaded, quartet.realUnloaded];
  const both = ([loaded = [], unloaded = [], realLoaded = [], realUnloaded = []]: typeof groups) => {
    const emulated = measure.of({ loaded, unloaded });
    const real = measure.of({ loaded: realLoaded, unloaded: realUnloaded });
    return emulated === null || real === null ? null : { emulated, real };
  };
  const value = both(groups);
  if (value === null) return null;
  const { emulated, real } = value;
  const ofBoth = (figure: (emulated: number, real: number) => number | null) => {
    const figureOfDraw = (drawn: readonly (readonly Prepared[])[]) => {
      const each = both([...drawn]);
      return each === null ? null : figure(each.emulated, each.real);
    };
    return bootstrapInterval(groups, figureOfDraw, seed);
  };
  const allowed = measure.allowed(real, server, pair.policy);
  // The deviation in units of what is allowed: what counts is whether it lies between -1 and 1.
  const deviation = ofBoth((e, r) => {
    const limit = measure.allowed(r, server, pair.policy);
    return limit === null ? null : (e - r) / limit;
  });
  return {
    name: measure.name,
    unit: measure.unit,
    emulated,
    real,
    ratio: emulated / real,
    interval: ofBoth((e, r) => e / r),
    allowed,
    verdict: allowed === null ? null : verdictOf(deviation),
  };
}

/** @param deviation in units of what is allowed */
export function verdictOf(deviation: Interval | null): Verdict {
  if (deviation === null) return 'inconclusive';
  if (deviation.low >= -1 && deviation.high <= 1) return 'pass';
  return deviation.low > 1 || deviation.high < -1 ? 'fail' : 'inconclusive';
}

/** Of several verdicts: fail before inconclusive before pass. Of none: nothing is known. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes('fail')
    ? 'fail'
    : verdicts.length > 0 && !verdicts.includes('inconclusive')
      ? 'pass'
      : 'inconclusive';
}

function preparedRounds(cell: Cell): Prepared[] {
  return cell.rounds
    .filter((round): round is MeasuredRound => round.state === 'measured' && round.rttNs.length > 0)
    .map(({ rttNs, durationNs, spinnerRoundsPerSecond, soloRoundsPerSecond }) => ({
      messages: rttNs.length,
      durationNs,
      rttNs: sortSamples(rttNs),
      spinnerKeeps:
        spinnerRoundsPerSecond === null || soloRoundsPerSecond === null
          ? null
          : spinnerRoundsPerSecond / soloRoundsPerSecond,
    }));
}

/**
 * The two-sample Kolmogorov–Smirnov distance.
 *
 * @returns the largest difference between the shares of both samples that do not exceed a value; 0: alike, 1: apart
 */
export function kolmogorovSmirnov(a: SortedSamples, b: SortedSamples): number {
  // The shares change at samples only, and just above one sample they are what lies below the next; above the last both are 1.
  const distanceBelow = (value: number) => Math.abs(countBelow(a, value) / a.length - countBelow(b, value) / b.length);
  return [...a, ...b].reduce((largest, value) => Math.max(largest, distanceBelow(value)), 0);
}
