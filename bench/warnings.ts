/** What a reader must know before believing a figure, and what can be done about it. */
import { type Cell, type Column, type Environment, isReference, type Warning, type Workload } from './result.ts';
import { cellWarnings } from './warnings/cell.ts';
import { cpuShareWarnings } from './warnings/cpu-share.ts';
import { lockWarnings } from './warnings/lock.ts';
import { machineWarnings } from './warnings/machine.ts';
import { roundWarnings } from './warnings/rounds.ts';

/** @param columns what the cells ran under; only where interpreters are among them does it matter */
export function warningsOf(
  cells: readonly Cell[],
  environment: Environment,
  workload: Workload,
  columns: readonly Column[] = [],
): Warning[] {
  const interpreters = new Set(columns.filter(isReference).map(({ label }) => label));
  return [
    ...machineWarnings(cells, environment, workload),
    ...roundWarnings(cells),
    ...cpuShareWarnings(
      cells.filter(({ policy }) => !interpreters.has(policy)),
      workload,
    ),
    ...lockWarnings(cells),
    ...cells.flatMap((cell) => cellWarnings(cell, workload)),
  ];
}
