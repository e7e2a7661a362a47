/** What the rounds say of each other. One warning for all cells it is true of. */
import { median } from 'simple-statistics';
import { spreadOf } from '../figures/statistics.ts';
import { measuredRounds, nameOfCell, totalNsOf } from '../figures/summary.ts';
import type { Cell, Warning } from '../result/result.ts';

/** The longest total of a cell against its shortest. */
const DISAGREEMENT = 1.5;
/** Of totals, from the first round to the last, in the middle of all cells: what moves them all is the machine. */
const DRIFT = 0.1;
/** Below it, the 99.9th percentile is the longest round trip. */
const MIN_MESSAGES_FOR_P999 = 1_000;
/** So many cells are named. */
const NAMED_CELLS = 3;

export function roundWarnings(cells: readonly Cell[]): Warning[] {
  return [...disagreement(cells), ...drift(cells), ...fewMessages(cells)];
}

function disagreement(cells: readonly Cell[]): Warning[] {
  const apart = cells
    .flatMap((cell) => {
      const spread = spreadOf(measuredRounds(cell).map(totalNsOf));
      return spread === null ? [] : [{ cell, times: spread.max / spread.min }];
    })
    .filter(({ times }) => times > DISAGREEMENT)
    .sort((a, b) => b.times - a.times);
  if (apart.length === 0) return [];
  return [
    {
      kind: 'rounds-disagree',
      message: `rounds of the same cell differ by more than ${DISAGREEMENT}×: ${named(
        apart.map(({ cell, times }) => `${nameOfCell(cell)} (${times.toFixed(1)}×)`),
      )}`,
      advice: 'the median hides that: look at the interval; more --rounds or --messages, or a quieter machine',
    },
  ];
}

function drift(cells: readonly Cell[]): Warning[] {
  const changes = cells.flatMap((cell) => {
    const rounds = [...measuredRounds(cell)].sort((a, b) => a.round - b.round);
    const first = rounds[0];
    const last = rounds.at(-1);
    return first === undefined || last === undefined || first === last ? [] : [totalNsOf(last) / totalNsOf(first)];
  });
  if (changes.length === 0) return [];
  const change = median(changes);
  if (Math.abs(change - 1) <= DRIFT) return [];
  return [
    {
      kind: 'drift',
      message: `the last round took ${change.toFixed(2)} times as long as the first, in the middle of all cells`,
      advice:
        'the machine changed meanwhile (heat, other work): ratios of the same round stand, totals are of no one state',
    },
  ];
}

function fewMessages(cells: readonly Cell[]): Warning[] {
  const few = cells
    .map((cell) => ({ cell, messages: measuredRounds(cell).reduce((sum, { rttNs }) => sum + rttNs.length, 0) }))
    .filter(({ messages }) => messages > 0 && messages < MIN_MESSAGES_FOR_P999)
    .sort((a, b) => a.messages - b.messages);
  if (few.length === 0) return [];
  return [
    {
      kind: 'few-messages',
      message: `fewer than ${MIN_MESSAGES_FOR_P999.toLocaleString('en')} messages, all rounds together: ${named(
        few.map(({ cell, messages }) => `${nameOfCell(cell)} (${messages})`),
      )}`,
      advice: 'p99.9 is then the maximum, and below 100 messages so is p99: more --messages or --budget',
    },
  ];
}

/** The first few, and how many more there are. */
export function named(names: readonly string[]): string {
  const more = names.length - NAMED_CELLS;
  return `${names.slice(0, NAMED_CELLS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
