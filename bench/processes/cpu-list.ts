/** Lists of CPUs, `0,2-3`, as Linux writes them and as taskset and cpusets read them. */
import { readFileSync } from 'node:fs';
import { MAX_CPU_COUNT } from './affinity.ts';

/**
 * Reads a list.
 *
 * @returns the CPUs, ascending, each once; undefined if the text is no such list
 */
export function parseCpuList(text: string): number[] | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last >= MAX_CPU_COUNT) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/**
 * Writes a list so that {@link parseCpuList} reads the same.
 *
 * @param cpus ascending
 */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of cpus) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === cpu - 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** The CPUs this process may use, as the system lists them. */
export function allowedCpus(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/**
 * Why processes cannot be placed on these CPUs.
 *
 * @param cpus a list
 * @returns null if they can
 */
export function whyNotOn(cpus: string): string | null {
  const allowed = allowedCpus();
  const there = parseCpuList(allowed) ?? [];
  const missing = (parseCpuList(cpus) ?? []).filter((cpu) => !there.includes(cpu));
  if (missing.length === 0) return null;
  return `CPU ${formatCpuList(missing)} is not there, or not allowed to this process, which may use ${allowed}`;
}
