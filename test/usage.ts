/** What a process holds, as the kernel counts it: memory, descriptors, threads, child processes. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** Resident set. */
  readonly memoryBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Processes whose parent it is. */
  readonly children: number;
}

/** @throws Error if there is no such process */
export function usageOf(pid: number): Usage {
  const of = `/proc/${pid}`;
  const status = readFileSync(`${of}/status`, 'utf8');
  const threads = readdirSync(`${of}/task`);
  return {
    memoryBytes: residentBytes(status),
    descriptors: readdirSync(`${of}/fd`).length,
    threads: threads.length,
    children: threads.map((thread) => childrenOf(`${of}/task/${thread}`)).reduce((sum, count) => sum + count, 0),
  };
}

function residentBytes(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error('a process without memory: it has ended');
  return Number(kib) * 1024;
}

function childrenOf(task: string): number {
  try {
    return readFileSync(`${task}/children`, 'utf8').split(' ').filter(Boolean).length;
  } catch {
    // The thread has ended.
    return 0;
  }
}
