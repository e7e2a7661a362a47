/** What a reader must know before believing a figure, and what can be done about it. */
import type { Cell, Environment, Warning, Workload } from './result.ts';
import { cellWarnings } from './warnings/cell.ts';
import { cpuShareWarnings } from './warnings/cpu-share.ts';
import { machineWarnings } from './warnings/machine.ts';
import { roundWarnings } from './warnings/rounds.ts';

export function warningsOf(cells: readonly Cell[], environment: Environment, workload: Workload): Warning[] {
  return [
    ...machineWarnings(cells, environment, workload),
    ...roundWarnings(cells),
    ...cpuShareWarnings(cells, workload),
    ...cells.flatMap((cell) => cellWarnings(cell, workload)),
  ];
}
