/** What happened to one cell. */

import { nameOfCell } from '../figures/summary.ts';
import type { Cell, Warning, Workload } from '../result/result.ts';

export function cellWarnings(cell: Cell, workload: Workload): Warning[] {
  const name = nameOfCell(cell);
  const warnings: Warning[] = [];
  const cut = cell.rounds.flatMap((round) =>
    round.state === 'measured' && round.ended === 'budget' ? [round.rttNs.length] : [],
  );
  if (cut.length > 0) {
    warnings.push({
      kind: 'projected',
      message: `${name} stopped at its time budget after ${cut.join(', ')} of ${workload.messages} messages`,
      advice: 'its total is projected from those; a larger --budget measures more',
    });
  }
  const failed = cell.rounds.filter((round) => round.state === 'failed');
  if (failed.length > 0) {
    warnings.push({
      kind: 'failed',
      message: `${name} failed in ${failed.length} of ${cell.rounds.length} rounds: ${failed[0]?.message}`,
      advice: failed.length < cell.rounds.length ? 'its figures are from the other rounds' : 'it has no figures',
    });
  }
  const errors = cell.rounds.flatMap((round) => (round.state === 'measured' ? round.connectionErrors : []));
  if (errors.length > 0) {
    warnings.push({
      kind: 'connection-errors',
      message: `${name}: ${errors.length} connections ended by an error, first: ${errors[0]}`,
      advice: 'another client was connected to the server, or the network broke: do not use this cell',
    });
  }
  const stopErrors = cell.rounds.flatMap((round) => (round.state === 'measured' ? (round.stopError ?? []) : []));
  if (stopErrors.length > 0) {
    warnings.push({
      kind: 'not-stopped',
      message: `${name} did not end as it was told to in ${stopErrors.length} of ${cell.rounds.length} rounds: ${stopErrors[0]}`,
      advice: 'all was measured by then and is in its figures; the processes are gone',
    });
  }
  return warnings;
}
