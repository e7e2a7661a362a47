/** The machine, as far as a reader needs it to judge a figure. Nothing here runs while a cell is timed. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { libzmqVersion } from '../../net/libzmq.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { allowedCpus } from '../processes/cpu-list.ts';
import type { Environment } from '../result/result.ts';

/** Read before a run; {@link finishEnvironment} completes it. */
export type EnvironmentBefore = Omit<Environment, 'loadAfter' | 'stolenShare'> & { readonly cpuTime: CpuTime };

/** In the kernel's ticks, all CPUs together. */
interface CpuTime {
  readonly stolen: number;
  readonly total: number;
}

export async function probeEnvironment(): Promise<EnvironmentBefore> {
  return {
    convoy: packageJson.version,
    revision: await revision(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: allowedCpus(),
    cpuCount: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    v8: process.versions.v8,
    libzmq: libzmqOr(null),
    governor: (await readOr('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', '')).trim() || null,
    loadBefore: loadavg()[0] ?? 0,
    cpuTime: await cpuTime(),
  };
}

export async function finishEnvironment({ cpuTime: before, ...rest }: EnvironmentBefore): Promise<Environment> {
  const after = await cpuTime();
  const total = after.total - before.total;
  return {
    ...rest,
    loadAfter: loadavg()[0] ?? 0,
    stolenShare: total > 0 ? (after.stolen - before.stolen) / total : 0,
  };
}

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user. */
async function cpuTime(): Promise<CpuTime> {
  const line = (await readOr('/proc/stat', '')).split('\n', 1)[0] ?? '';
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { stolen: ticks[7] ?? 0, total: ticks.reduce((sum, n) => sum + n, 0) };
}

/** The revision of this program's own working copy, if it runs from one. */
export async function revision(): Promise<string | null> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: import.meta.dirname, timeout: 5_000 })).stdout.trim();
  try {
    // An installed package may lie inside somebody else's repository.
    await git('ls-files', '--error-unmatch', '../../package.json');
    const dirty = (await git('status', '--porcelain')) === '' ? '' : '+';
    return `${await git('rev-parse', '--short=12', 'HEAD')}${dirty}`;
  } catch {
    return null;
  }
}

/** A machine without libzmq measures the servers that need none. */
function libzmqOr(otherwise: null): string | null {
  try {
    return libzmqVersion();
  } catch {
    return otherwise;
  }
}

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return otherwise;
  }
}
