/** Two machines, two clocks: round trips that could not be split. One warning for all cells. */

import { measuredRounds, nameOfCell } from '../figures/summary.ts';
import { MAX_CLOCK_ERROR } from '../measure/split.ts';
import type { Cell, Warning } from '../result/result.ts';
import { named } from './rounds.ts';

export function clockWarnings(cells: readonly Cell[]): Warning[] {
  const unsplit = cells.flatMap((cell) => {
    const errors = measuredRounds(cell).flatMap(({ clockErrorNs, lockWaitNs }) =>
      clockErrorNs !== undefined && lockWaitNs === null ? [clockErrorNs] : [],
    );
    return errors.length === 0 ? [] : [{ name: nameOfCell(cell), errorNs: Math.max(...errors) }];
  });
  if (unsplit.length === 0) return [];
  const worstNs = Math.max(...unsplit.map(({ errorNs }) => errorNs));
  return [
    {
      kind: 'clocks-apart',
      message:
        `what a round trip is made of is not said of ${named(unsplit.map(({ name }) => name))}: the clocks of the two machines ` +
        `are known to each other to ${(worstNs / 1e3).toFixed(0)} µs, more than ${MAX_CLOCK_ERROR * 100} % of the mean round trip`,
      advice: 'a network between them that is quicker, or less busy; all other figures are of one clock, and stand',
    },
  ];
}
