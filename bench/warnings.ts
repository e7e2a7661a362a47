/** What a reader must know before believing a figure, and what can be done about it. */
import type { Cell, Environment, Warning, Workload } from './result.ts';

/** Of CPU time; above it, another guest of the machine can be seen in the figures. */
const STOLEN_SHARE = 0.02;
/** Runnable threads of others, for each CPU. */
const BUSY_LOAD_PER_CPU = 0.5;

export function warningsOf(cells: readonly Cell[], environment: Environment, workload: Workload): Warning[] {
  const warnings: Warning[] = [];
  const loaded = cells.some((cell) => cell.scenario !== 'unloaded');
  const busy = 2 + (loaded ? workload.spinners : 0);
  if (busy > environment.cpuCount) {
    warnings.push({
      kind: 'few-cpus',
      message: `${busy} busy threads (server, client${loaded ? `, ${workload.spinners} CPU` : ''}) on ${environment.cpuCount} CPUs`,
      advice:
        environment.cpuCount >= 2
          ? 'the operating system schedules some of the waiting: compare policies, not absolute times'
          : 'the client and the server take turns: run it on two CPUs or more',
    });
  }
  if (environment.loadBefore > BUSY_LOAD_PER_CPU * environment.cpuCount) {
    warnings.push({
      kind: 'busy-machine',
      message: `load average ${environment.loadBefore.toFixed(2)} on ${environment.cpuCount} CPUs before the run`,
      advice: 'close what else is running, and run it again',
    });
  }
  if (environment.stolenShare > STOLEN_SHARE) {
    warnings.push({
      kind: 'stolen-time',
      message: `the hypervisor gave ${(environment.stolenShare * 100).toFixed(1)} % of the CPU time to others`,
      advice: 'use more --rounds, or a machine that is not shared',
    });
  }
  const uncounted = cells.filter(({ rounds }) =>
    rounds.some((round) => round.state === 'measured' && round.reading.server === null),
  );
  if (uncounted.length > 0) {
    warnings.push({
      kind: 'lock-not-counted',
      message: `what the lock did is not known of ${[...new Set(uncounted.map(({ policy }) => policy))].join(', ')}`,
      advice: "CPython's is counted where there is a C compiler (cc); PyPy's cannot be seen from outside",
    });
  }
  for (const cell of cells) warnings.push(...cellWarnings(cell, workload));
  return warnings;
}

function cellWarnings(cell: Cell, workload: Workload): Warning[] {
  const name = `${cell.policy}/${cell.server} ${cell.scenario}`;
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
  return warnings;
}
