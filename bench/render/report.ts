/** What is shown of a result, in which order: drawn by `terminal.ts` and `markdown.ts`. */
import { formatDuration } from '../../lock/duration.ts';
import { TICK_NS } from '../../lock/interpreter.ts';
import type { Result } from '../result.ts';
import { formatSize } from '../size.ts';
import { summarize } from '../summary.ts';
import { detailTables } from './details.ts';
import { plural } from './format.ts';
import { lagTable } from './lag.ts';
import { policyTable } from './policies.ts';
import type { Report } from './table.ts';

export function reportOf(result: Result): Report {
  const summaries = summarize(result);
  const scenarios = [...new Set(result.cells.map(({ scenario }) => scenario))];
  return {
    head: headOf(result),
    overview: scenarios.map((scenario) => {
      const of = summaries.filter(({ cell }) => cell.scenario === scenario);
      // A key stroke is judged by its lag; the time 10,000 of them take says nothing.
      return scenarios.includes('gui') ? lagTable(scenario, of) : policyTable(scenario, of, result);
    }),
    details: scenarios.flatMap((scenario) =>
      detailTables(
        scenario,
        summaries.filter(({ cell }) => cell.scenario === scenario),
        result.seed,
      ),
    ),
    warnings: result.warnings,
  };
}

function headOf(result: Result): string[] {
  const { workload, environment } = result;
  const busy = result.cells.some(({ scenario }) => scenario !== 'unloaded');
  const spinners = busy ? `; ${plural(workload.spinners, 'CPU thread')} (${workload.spinnerKind})` : '';
  return [
    `${plural(workload.messages, 'message')} of ${formatSize(workload.payloadBytes)} echoed, ` +
      `${formatDuration(workload.delayNs)} pause after each, one client${spinners}`,
    `${plural(result.rounds, 'round')} in an order shuffled by seed ${result.seed}; ` +
      `interpreter cost ${formatDuration(workload.interpreterCostNs)} a call, tick ${TICK_NS} ns`,
    `${environment.cpu}, ${plural(environment.cpuCount, 'CPU')}, Linux ${environment.kernel}, Node ${environment.node}, ` +
      `Convoy ${environment.convoy}${environment.revision === null ? '' : ` (${environment.revision})`}`,
    ...(result.interrupted ? ['interrupted: only what was finished is shown'] : []),
  ];
}
