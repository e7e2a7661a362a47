/** sched_setaffinity(2): to measure what a thread costs another on the same CPU, both must be there. */
import koffi from 'koffi';

const MASK_BYTES = 128;
const setAffinity = koffi.load(null).func('int sched_setaffinity(int thread, size_t bytes, _In_ uint8_t *mask)');

/** Keeps the calling thread on one CPU. Returns whether the system allows it. */
export function pinTo(cpu: number): boolean {
  const mask = new Uint8Array(MASK_BYTES);
  mask[cpu >> 3] = 1 << (cpu & 7);
  return setAffinity(0, MASK_BYTES, mask) === 0;
}

/** Lets it run on any again. */
export function unpin(): void {
  setAffinity(0, MASK_BYTES, new Uint8Array(MASK_BYTES).fill(0xff));
}
