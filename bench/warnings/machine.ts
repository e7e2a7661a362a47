/** What the machine did, or lacks. */
import type { Cell, Environment, Warning, Workload } from '../result.ts';

/** Of CPU time; above it, another guest of the machine can be seen in the figures. */
const STOLEN_SHARE = 0.02;
/** Runnable threads of others, for each CPU. */
const BUSY_LOAD_PER_CPU = 0.5;

export function machineWarnings(cells: readonly Cell[], environment: Environment, workload: Workload): Warning[] {
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
  return warnings;
}
