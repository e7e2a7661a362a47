/**
 * Thresholds, for CI: `priority/blocking slowdown <= 1.5`. A threshold has three verdicts, because a figure of few rounds scatters:
 * a gate that fails on scatter is switched off sooner or later. It passes when the whole 95 % interval keeps the limit, fails when
 * the whole interval breaks it, and is inconclusive in between. One round has no interval: always inconclusive.
 */
import { formatDuration, parseDuration } from '../../lock/duration.ts';
import { UsageError } from '../exit-codes.ts';
import { type Scenario, scenarioSchema } from '../result/result.ts';
import type { Interval } from './bootstrap.ts';
import { figureOf, intervalOf, METRICS, type MetricName, type Unit } from './metrics.ts';
import { nameOfCell, type Summary, TALK_BASELINE } from './summary.ts';

/** What a threshold can be about: a cell that will be measured. */
export interface NamedCell {
  readonly server: string;
  /** The policy's label. */
  readonly policy: string;
  readonly scenario: Scenario;
}

const OPERATORS = {
  '<=': (value: number, limit: number) => value <= limit,
  '>=': (value: number, limit: number) => value >= limit,
  '<': (value: number, limit: number) => value < limit,
  '>': (value: number, limit: number) => value > limit,
} as const;

export interface Threshold {
  /** As it was given. */
  readonly text: string;
  readonly cell: NamedCell;
  readonly metric: MetricName;
  readonly operator: keyof typeof OPERATORS;
  /** In the unit in which the metric is held. */
  readonly limit: number;
}

export type Verdict = 'pass' | 'fail' | 'inconclusive';

/** A threshold held against what was measured. */
export interface Judgement {
  readonly threshold: Threshold;
  readonly verdict: Verdict;
  readonly value: number | null;
  readonly interval: Interval | null;
}

export const THRESHOLD_FORM = 'POLICY/SERVER [SCENARIO] METRIC <=|>=|<|> NUMBER[UNIT]';

/** A label may have parentheses, commas, spaces and slashes of its own: the server follows the last slash. */
const FORM =
  /^(?<policy>\S.*)\/(?<server>[^/\s]+)\s+(?:(?<scenario>\S+)\s+)?(?<metric>[^\s<>=]+)\s*(?<operator><=|>=|<|>)\s*(?<limit>\S+)$/;

/**
 * Reads a threshold and checks that the cells it will be held against are going to be measured.
 *
 * @throws UsageError: a threshold that is about nothing must never pass in silence
 */
export function readThreshold(text: string, cells: readonly NamedCell[]): Threshold {
  const refuse = (why: string) => new UsageError(`--assert «${text}»: ${why}`);
  const written = FORM.exec(text.trim())?.groups;
  if (written === undefined) throw refuse(`write ${THRESHOLD_FORM}`);
  const { policy = '', server = '', scenario = 'loaded', metric = '', operator = '', limit = '' } = written;
  const known = scenarioSchema.safeParse(scenario);
  if (!known.success)
    throw refuse(`there is no scenario «${scenario}»; there are ${scenarioSchema.options.join(', ')}`);
  if (!isMetric(metric)) throw refuse(`there is no metric «${metric}»; there are ${Object.keys(METRICS).join(', ')}`);
  const cell = cells.find((each) => each.policy === policy && each.server === server && each.scenario === known.data);
  if (cell === undefined) {
    throw refuse(
      `this run has no cell ${nameOfCell({ policy, server, scenario: known.data })}; it has ${cells.map(nameOfCell).join(', ')}`,
    );
  }
  const missing = missingFor(metric, cell, cells);
  if (missing !== null) throw refuse(missing);
  const value = readLimit(METRICS[metric].unit, limit);
  if (value === null) throw refuse(`the limit of ${metric} is ${LIMIT_FORMS[METRICS[metric].unit]}, not «${limit}»`);
  return { text: text.trim(), cell, metric, operator: operator as keyof typeof OPERATORS, limit: value };
}

/** Holds a threshold against the cell it names. */
export function judge(threshold: Threshold, summaries: readonly Summary[], seed: number): Judgement {
  const { cell, metric, limit, operator } = threshold;
  const summary = summaries.find(({ cell: each }) => nameOfCell(each) === nameOfCell(cell));
  const value = summary === undefined ? null : figureOf(summary, metric);
  const interval = summary === undefined || value === null ? null : intervalOf(summary, metric, seed);
  if (interval === null) return { threshold, verdict: 'inconclusive', value, interval };
  const holds = OPERATORS[operator];
  const low = holds(interval.low, limit);
  const high = holds(interval.high, limit);
  const verdict = low && high ? 'pass' : low || high ? 'inconclusive' : 'fail';
  return { threshold, verdict, value, interval };
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/** Why a cell of the plan will not have a metric; null if it will. */
function missingFor(metric: MetricName, cell: NamedCell, cells: readonly NamedCell[]): string | null {
  const unloaded = cell.scenario === 'unloaded';
  switch (METRICS[metric].needs) {
    case 'nothing':
      return null;
    case 'unloaded-beside':
      return unloaded && metric === 'slowdown' ? 'slowdown is against unloaded: name another scenario' : null;
    case 'spinners':
      return unloaded ? `${metric}: no CPU threads run beside an unloaded server` : null;
    case 'talk-baseline': {
      if (unloaded && cell.policy === TALK_BASELINE) return `${metric} is against this very cell: name another`;
      const measured = cells.some(({ policy, server }) => policy === TALK_BASELINE && server === cell.server);
      return measured ? null : `${metric} is against ${TALK_BASELINE}, which this run does not measure`;
    }
  }
}

const LIMIT_FORMS: Readonly<Record<Unit, string>> = {
  seconds: 'a duration with its unit, such as 20s',
  milliseconds: 'a duration with its unit, such as 15ms',
  ratio: 'a number, such as 1.5',
  count: 'a number, such as 3.2',
  share: 'in per cent, such as 20%',
};

function readLimit(unit: Unit, text: string): number | null {
  switch (unit) {
    case 'seconds':
    case 'milliseconds':
      return parseDuration(text) ?? null;
    case 'share': {
      const percent = readNumber(/^(.+)%$/.exec(text)?.[1]);
      return percent === null ? null : percent / 100;
    }
    case 'ratio':
    case 'count':
      return readNumber(text);
  }
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : null;
}

/** Writes a limit as it may be given. */
export function formatLimit({ metric, limit }: Threshold): string {
  switch (METRICS[metric].unit) {
    case 'seconds':
    case 'milliseconds':
      return formatDuration(limit);
    case 'share':
      return `${limit * 100}%`;
    case 'ratio':
    case 'count':
      return String(limit);
  }
}
