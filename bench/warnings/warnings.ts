/** What a reader must know before believing a figure, and what can be done about it. */
import {
  type Cell,
  type Column,
  type Environment,
  isReference,
  type Warning,
  type Workload,
} from '../result/result.ts';
import { cellWarnings } from './cell.ts';
import { clockWarnings } from './clock.ts';
import { cpuShareWarnings } from './cpu-share.ts';
import { cpuWarnings } from './cpus.ts';
import { lockWarnings } from './lock.ts';
import { machineWarnings } from './machine.ts';
import { roundWarnings } from './rounds.ts';

/**
 * @param environment of the machine, the client's if there are two
 * @param columns what the cells ran under; only where interpreters are among them does it matter
 * @param serverEnvironment of the server's machine, where that is another
 */
export function warningsOf(
  cells: readonly Cell[],
  environment: Environment,
  workload: Workload,
  columns: readonly Column[] = [],
  serverEnvironment?: Environment,
): Warning[] {
  // An interpreter's work is not known; what has a cost of its own would be held against the run's.
  const others = columns.filter((column) => isReference(column) || column.interpreterCostNs !== undefined);
  const apart = new Set(others.map(({ label }) => label));
  return [
    ...cpuWarnings(cells, workload, environment, serverEnvironment),
    ...machineWarnings(environment),
    ...(serverEnvironment === undefined ? [] : machineWarnings(serverEnvironment, " of the server's machine")),
    ...roundWarnings(cells),
    ...cpuShareWarnings(
      cells.filter(({ policy }) => !apart.has(policy)),
      workload,
    ),
    ...lockWarnings(cells),
    ...clockWarnings(cells),
    ...cells.flatMap((cell) => cellWarnings(cell, workload)),
  ];
}
