/** What a process may hold after a storm that it did not hold before it. */
import type { StormReport } from './storm.ts';

/** Some thirty heaps, each between two collections. */
const MEMORY_BYTES = 128 * 2 ** 20;
/** Threads kept for connections to come, each with some descriptors of its event loop. */
const THREADS = 16;
const DESCRIPTORS_PER_THREAD = 6;

/** Says of what a process kept too much. */
export function kept({ before, after }: StormReport): string[] {
  const limits = [
    ['bytes of memory', after.memoryBytes - before.memoryBytes, MEMORY_BYTES],
    ['threads', after.threads - before.threads, THREADS],
    ['descriptors', after.descriptors - before.descriptors, THREADS * DESCRIPTORS_PER_THREAD],
  ] as const;
  return limits.flatMap(([what, more, most]) => (more > most ? [`it kept ${more} ${what}, more than ${most}`] : []));
}
