/** What the machine did, or lacks. */
import type { Environment, Warning } from '../result/result.ts';

/** Of CPU time; above it, another guest of the machine can be seen in the figures. */
const STOLEN_SHARE = 0.02;
/** Runnable threads of others, for each CPU. */
const BUSY_LOAD_PER_CPU = 0.5;

/** @param which machine, where there are two: ` of the server's machine` */
export function machineWarnings(environment: Environment, which = ''): Warning[] {
  const warnings: Warning[] = [];
  if (environment.loadBefore > BUSY_LOAD_PER_CPU * environment.cpuCount) {
    warnings.push({
      kind: 'busy-machine',
      message: `load average ${environment.loadBefore.toFixed(2)} on ${environment.cpuCount} CPUs${which} before the run`,
      advice: 'close what else is running, and run it again',
    });
  }
  if (environment.stolenShare > STOLEN_SHARE) {
    warnings.push({
      kind: 'stolen-time',
      message: `the hypervisor gave ${(environment.stolenShare * 100).toFixed(1)} % of the CPU time${which} to others`,
      advice: 'use more --rounds, or a machine that is not shared',
    });
  }
  return warnings;
}
