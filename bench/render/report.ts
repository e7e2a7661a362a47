/** What is shown of a result, in which order: drawn by `terminal.ts` and `markdown.ts`. */
import { formatDuration } from '../../lock/duration.ts';
import { TICK_NS } from '../../lock/interpreter.ts';
import { groupOf, type Summary, summarize } from '../figures/summary.ts';
import { formatSize } from '../options/size.ts';
import { type Column, type Environment, isReference, type Result } from '../result/result.ts';
import { detailTables } from './details.ts';
import { plural } from './format.ts';
import { lagTable } from './lag.ts';
import { policyTable } from './policies.ts';
import type { Group, Report } from './table.ts';

export function reportOf(result: Result): Report {
  const summaries = summarize(result);
  const gui = result.cells.some(({ scenario }) => scenario === 'gui');
  const groups = groupsOf(summaries);
  return {
    head: headOf(result),
    // A key stroke is judged by its lag; the time 10,000 of them take says nothing.
    overview: groups.map((group) => (gui ? lagTable(group) : policyTable(group, result))),
    details: groups.flatMap((group) => detailTables(group, result.seed)),
    warnings: result.warnings,
  };
}

/** Cells as they stand in tables, in the order of the result. */
export function groupsOf(summaries: readonly Summary[]): Group[] {
  return [...new Set(summaries.map(({ cell }) => groupOf(cell)))].map((title) => ({
    title,
    summaries: summaries.filter(({ cell }) => groupOf(cell) === title),
  }));
}

function machineOf({ cpu, cpuCount, kernel, node, convoy, revision }: Environment): string {
  const program = `Convoy ${convoy}${revision === null ? '' : ` (${revision})`}`;
  return `${cpu}, ${plural(cpuCount, 'CPU')}, Linux ${kernel}, Node ${node}, ${program}`;
}

/** What was measured, where, and how, a line each. */
export function headOf(result: Result): string[] {
  const { workload, environment, serverEnvironment } = result;
  const busy = result.cells.some(({ scenario }) => scenario !== 'unloaded');
  const spinners = busy ? `; ${plural(workload.spinners, 'CPU thread')} (${workload.spinnerKind})` : '';
  return [
    `${plural(workload.messages, 'message')} of ${formatSize(workload.payloadBytes)} echoed, ` +
      `${formatDuration(workload.delayNs)} pause after each, one client${spinners}`,
    `${plural(result.rounds, 'round')} in an order shuffled by seed ${result.seed}; ` +
      `interpreter cost ${formatDuration(workload.interpreterCostNs)} a call, tick ${TICK_NS} ns`,
    ...ownParameters(result.policies),
    ...(result.simulation === undefined
      ? []
      : [`simulated: the machine is the profile «${result.simulation.profile.name}»`]),
    ...(serverEnvironment === undefined
      ? [machineOf(environment)]
      : [`server on ${machineOf(serverEnvironment)}`, `client on ${machineOf(environment)}`]),
    ...(result.interrupted ? ['interrupted: only what was finished is shown'] : []),
  ];
}

/** What a profile made different for single policies; what the user wrote is in their labels. */
function ownParameters(columns: readonly Column[]): string[] {
  return columns.flatMap((column) => {
    if (isReference(column)) return [];
    const { label, interpreterCostNs, ticksPerCall, ticksPerLeaf } = column;
    const own: string[] = [];
    if (interpreterCostNs !== undefined && !label.includes('interpreter-cost='))
      own.push(`interpreter cost ${formatDuration(interpreterCostNs)} a call`);
    if (ticksPerCall !== undefined) own.push(`counted as ${ticksPerCall} ticks`);
    if (ticksPerLeaf !== undefined && !label.includes('tick='))
      own.push(`a leaf of a CPU thread as ${ticksPerLeaf} ticks`);
    return own.length === 0 ? [] : [`${label}: ${own.join(', ')}`];
  });
}
