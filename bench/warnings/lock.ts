/** Figures of the lock that are missing, and why. One warning for all of them. */
import type { Cell, Warning } from '../result/result.ts';

export function lockWarnings(cells: readonly Cell[]): Warning[] {
  const uncounted = cells.filter(({ rounds }) =>
    rounds.some((round) => round.state === 'measured' && round.reading.server === null),
  );
  if (uncounted.length === 0) return [];
  return [
    {
      kind: 'lock-not-counted',
      message: `what the lock did is not known of ${[...new Set(uncounted.map(({ policy }) => policy))].join(', ')}`,
      advice: "CPython's is counted where there is a C compiler (cc); PyPy's cannot be seen from outside",
    },
  ];
}
