/** From raw rounds to what every figure of a cell is made of (`metrics.ts`). */
import type { Cell, MeasuredRound, Result } from '../result/result.ts';
import { type SortedSamples, sortSamples } from './statistics.ts';

/** The talk's number of messages, to which totals are scaled. */
export const TALK_MESSAGES = 10_000;

/** The talk divides by the row of this policy, unloaded. */
export const TALK_BASELINE = 'py32';

/** A round in which a message came back, prepared so that figures of any selection of rounds are cheap. */
export interface RoundSummary {
  readonly raw: MeasuredRound;
  /** Time for {@link TALK_MESSAGES} messages, pauses included. */
  readonly totalNs: number;
  /** Total against the same policy unloaded in the same round; null for the unloaded cell itself, and where that one is missing. */
  readonly slowdown: number | null;
  /** Total against {@link TALK_BASELINE} unloaded in the same round. */
  readonly talkSlowdown: number | null;
  readonly rttNs: SortedSamples;
  /**
   * Time from when each message was due to its echo. Message i is due at i times what a message takes the same server and policy
   * unloaded. A client that waits for one echo before it sends the next spares a slow server the messages it would otherwise
   * get (coordinated omission); here they arrive, and queue. Null where there is no unloaded round.
   */
  readonly scheduledNs: SortedSamples | null;
  /** Entry i: the sum over the messages with the i-th smallest round trip and all larger ones. Null where the lock is not known. */
  readonly lockWaitFromNs: Float64Array | null;
  readonly workFromNs: Float64Array | null;
}

/** One cell over its rounds. */
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
  /** Those in which a message came back. */
  readonly rounds: readonly RoundSummary[];
  /** Waits for the lock by length, all rounds together: entry i counts those of less than 2^i µs that no entry before counts. Null where not known. */
  readonly waits: readonly number[] | null;
}

/** Summarizes every cell of a result, in its order. */
export function summarize(result: Pick<Result, 'cells'>): Summary[] {
  return result.cells.map((cell) => summarizeCell(cell, result.cells));
}

/** How messages call a cell. */
export function nameOfCell(cell: Pick<Cell, 'policy' | 'server' | 'scenario' | 'at'>): string {
  return `${cell.policy}/${cell.server} ${groupOf(cell)}`;
}

/** The cells that stand in one table: those of a scenario and, in a simulated run, of one machine. */
export function groupOf({ scenario, at }: Pick<Cell, 'scenario' | 'at'>): string {
  if (at === undefined) return scenario;
  const spinners = at.spinners === 1 || scenario === 'unloaded' ? '' : `, ${at.spinners} CPU threads`;
  return `${scenario} on ${at.cpus} ${at.cpus === 1 ? 'CPU' : 'CPUs'}${spinners}`;
}

/** The rounds of a cell that were measured and in which a message came back. */
export function measuredRounds(cell: Cell): MeasuredRound[] {
  return cell.rounds.filter((round) => round.state === 'measured').filter((round) => round.rttNs.length > 0);
}

/** Time for {@link TALK_MESSAGES} messages. */
export function totalNsOf(round: MeasuredRound): number {
  return messageNsOf(round) * TALK_MESSAGES;
}

function summarizeCell(cell: Cell, cells: readonly Cell[]): Summary {
  const measured = cell.rounds.filter((round) => round.state === 'measured');
  const unloaded = unloadedRounds(cells, cell, cell.policy);
  const talk = unloadedRounds(cells, cell, TALK_BASELINE);
  return {
    cell,
    measuredRounds: measured.length,
    failures: cell.rounds.flatMap((round) => (round.state === 'failed' ? [round.message] : [])),
    messages: measured.reduce((sum, { rttNs }) => sum + rttNs.length, 0),
    projected: measured.some(({ rttNs }) => rttNs.length < TALK_MESSAGES),
    overBudget: measured.some(({ ended }) => ended === 'budget'),
    rounds: measuredRounds(cell).map((raw) =>
      // Each round against the same round: what drifts on the machine between rounds is in both.
      summarizeRound(raw, unloaded.get(raw.round), talk.get(raw.round), cell.scenario === 'unloaded'),
    ),
    waits: addUp(measured.map(({ reading }) => reading.waits)),
  };
}

/** Round number → round of the unloaded cell of a policy, of the server and on the machine of the other cell. */
function unloadedRounds(
  cells: readonly Cell[],
  { server, at }: Cell,
  policy: string,
): ReadonlyMap<number, MeasuredRound> {
  const cell = cells.find(
    (each) =>
      each.scenario === 'unloaded' && each.server === server && each.policy === policy && each.at?.cpus === at?.cpus,
  );
  return new Map(cell === undefined ? [] : measuredRounds(cell).map((round) => [round.round, round]));
}

function summarizeRound(
  raw: MeasuredRound,
  unloaded: MeasuredRound | undefined,
  talk: MeasuredRound | undefined,
  isUnloaded: boolean,
): RoundSummary {
  const totalNs = totalNsOf(raw);
  const bySize = Uint32Array.from(raw.rttNs.keys()).sort((a, b) => (raw.rttNs[a] ?? 0) - (raw.rttNs[b] ?? 0));
  return {
    raw,
    totalNs,
    slowdown: isUnloaded || unloaded === undefined ? null : totalNs / totalNsOf(unloaded),
    talkSlowdown: talk === undefined || talk === raw ? null : totalNs / totalNsOf(talk),
    rttNs: sortSamples(raw.rttNs),
    scheduledNs: unloaded === undefined ? null : sortSamples(scheduledNsOf(raw, messageNsOf(unloaded))),
    lockWaitFromNs: raw.lockWaitNs && sumsFrom(raw.lockWaitNs, bySize),
    workFromNs: raw.workNs && sumsFrom(raw.workNs, bySize),
  };
}

/** Nothing is sent before it is due: a message that ran ahead of the schedule took its round trip. */
function scheduledNsOf({ sentNs, rttNs }: MeasuredRound, everyNs: number): number[] {
  return rttNs.map((rtt, i) => rtt + Math.max(0, (sentNs[i] ?? 0) - i * everyNs));
}

function messageNsOf({ durationNs, rttNs }: MeasuredRound): number {
  return durationNs / rttNs.length;
}

/** Entry i: the sum of `values` at `order[i]` and all places after it. */
function sumsFrom(values: readonly number[], order: Uint32Array): Float64Array {
  const sums = new Float64Array(order.length + 1);
  for (let i = order.length - 1; i >= 0; i--) sums[i] = (sums[i + 1] as number) + (values[order[i] as number] ?? 0);
  return sums;
}

/** Entry by entry. Null if a list is not known. */
function addUp(lists: readonly (readonly number[] | null)[]): number[] | null {
  const known = lists.filter((list) => list !== null);
  if (known.length < lists.length) return null;
  const length = Math.max(0, ...known.map((list) => list.length));
  return Array.from({ length }, (_, i) => known.reduce((sum, list) => sum + (list[i] ?? 0), 0));
}
