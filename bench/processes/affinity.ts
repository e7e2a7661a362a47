/**
 * CPU placement: sched_setaffinity(2). It is of a thread, not of a process; a new thread has that of the thread that made it.
 */
import { readdirSync } from 'node:fs';
import koffi from 'koffi';
import { SystemError } from '../../net/system-error.ts';

const MASK_BYTES = 128;
/** One more than the highest CPU there can be. */
export const MAX_CPU_COUNT = 8 * MASK_BYTES;

const setAffinity = koffi.load(null).func('int sched_setaffinity(int thread, size_t bytes, _In_ uint8_t *mask)');
const ESRCH = koffi.os.errno['ESRCH'];

function maskOf(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array(MASK_BYTES);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}

/**
 * Keeps the calling thread on some CPUs.
 *
 * @throws SystemError if none of them is allowed to it
 */
export function placeThread(cpus: readonly number[]): void {
  if (setAffinity(0, MASK_BYTES, maskOf(cpus)) !== 0) throw new SystemError('sched_setaffinity', koffi.errno());
}

/**
 * Keeps a process on some CPUs: every thread it has, and so every one it will have. A thread that is not there yet may be made by one that
 * is not placed yet, so this looks until it finds none that is new: whatever is made after that look is made by a thread that was
 * placed before it.
 *
 * @param pid of a process that may be ending
 * @throws SystemError if none of the CPUs is allowed to it
 */
export function placeProcess(pid: number, cpus: readonly number[]): void {
  const mask = maskOf(cpus);
  const placed = new Set<number>();
  for (;;) {
    const strays = threadsOf(pid).filter((thread) => !placed.has(thread));
    if (strays.length === 0) return;
    for (const thread of strays) {
      // A thread that has ended meanwhile needs no place.
      if (setAffinity(thread, MASK_BYTES, mask) !== 0 && koffi.errno() !== ESRCH) {
        throw new SystemError('sched_setaffinity', koffi.errno());
      }
      placed.add(thread);
    }
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
