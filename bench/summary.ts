/** From raw rounds to the figures of a cell. */
import type { CounterName } from '../lock/counters.ts';
import type { Cell, MeasuredRound, Result } from './result.ts';
import { percentile, type Spread, sortSamples, spreadOf } from './statistics.ts';

/** The talk's number of messages, to which totals are scaled. */
export const TALK_MESSAGES = 10_000;

/** The figures of one cell over its measured rounds. */
export interface Summary {
  readonly cell: Cell;
  readonly measuredRounds: number;
  readonly failures: readonly string[];
  /** Messages that came back, all rounds together. */
  readonly messages: number;
  /** Whether fewer messages ran, in some round, than {@link TALK_MESSAGES}. */
  readonly projected: boolean;
  /** Whether some round stopped at its time budget. */
  readonly overBudget: boolean;
  /** Time for {@link TALK_MESSAGES} messages, pauses included; null when no message came back. */
  readonly totalNs: Spread | null;
  /** Total against the same policy unloaded, round by round; null for the unloaded cell itself and where one is missing. */
  readonly slowdown: Spread | null;
  /** Of all rounds' round trips together. */
  readonly rttNs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Per message, over all rounds: release and re-acquire; those between which another had the lock; those that had to sleep; null where not known. */
  readonly perMessage: Readonly<Record<'transitions' | 'steals' | 'waits', number | null>>;
  /** What the CPU threads did against what they do while the server is idle, 0 to about 1; null if there are none. */
  readonly spinnerKeeps: Spread | null;
}

/** Summarizes every cell of a result, in its order. */
export function summarize(result: Result): Summary[] {
  return result.cells.map((cell) => summarizeCell(cell, baselineOf(cell, result.cells)));
}

/** The unloaded cell of the same server and policy. */
function baselineOf(cell: Cell, cells: readonly Cell[]): Cell | undefined {
  return cells.find(
    (other) => other.scenario === 'unloaded' && other.server === cell.server && other.policy === cell.policy,
  );
}

function summarizeCell(cell: Cell, baseline: Cell | undefined): Summary {
  const rounds = measuredRounds(cell);
  const withMessages = rounds.filter((round) => round.rttNs.length > 0);
  const messages = rounds.reduce((sum, round) => sum + round.rttNs.length, 0);
  const rtts = sortSamples(rounds.flatMap((round) => round.rttNs));
  const perMessage = (counter: CounterName) => {
    const counts = rounds.flatMap(({ reading }) => (reading.server === null ? [] : [reading.server[counter]]));
    if (counts.length < rounds.length) return null;
    return messages === 0 ? 0 : counts.reduce((sum, count) => sum + count, 0) / messages;
  };
  return {
    cell,
    measuredRounds: rounds.length,
    failures: cell.rounds.flatMap((round) => (round.state === 'failed' ? [round.message] : [])),
    messages,
    projected: rounds.some((round) => round.rttNs.length < TALK_MESSAGES),
    overBudget: rounds.some((round) => round.ended === 'budget'),
    totalNs: spreadOf(withMessages.map(totalOf)),
    slowdown: cell.scenario === 'unloaded' || baseline === undefined ? null : slowdownOf(withMessages, baseline),
    rttNs: { p50: percentile(rtts, 50), p99: percentile(rtts, 99), max: percentile(rtts, 100) },
    perMessage: {
      transitions: perMessage('transitions'),
      steals: perMessage('steals'),
      waits: perMessage('waits'),
    },
    spinnerKeeps: spreadOf(
      rounds.flatMap(({ spinnerRoundsPerSecond, soloRoundsPerSecond }) =>
        spinnerRoundsPerSecond === null || soloRoundsPerSecond === null
          ? []
          : [spinnerRoundsPerSecond / soloRoundsPerSecond],
      ),
    ),
  };
}

/** Each round against the same round of the baseline: what drifts on the machine between rounds is in both. */
function slowdownOf(rounds: readonly MeasuredRound[], baseline: Cell): Spread | null {
  const baseTotals = new Map(measuredRounds(baseline).map((round) => [round.round, totalOf(round)]));
  return spreadOf(
    rounds.flatMap((round) => {
      const base = baseTotals.get(round.round);
      return base === undefined ? [] : [totalOf(round) / base];
    }),
  );
}

function measuredRounds(cell: Cell): MeasuredRound[] {
  return cell.rounds.filter((round) => round.state === 'measured');
}

function totalOf(round: MeasuredRound): number {
  return (round.durationNs / round.rttNs.length) * TALK_MESSAGES;
}
