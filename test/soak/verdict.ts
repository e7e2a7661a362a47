/** Does a process grow? What a soak of minutes can tell from its level alone, one of seconds can tell only of a leak in every other cycle. */
import type { Quantity, Soaked } from './subject.ts';

/** Flat: over the whole time, as a part of the level. */
export const MOST_GROWTH = 0.05;
/** For one process: less is a soak of seconds, in which memory has not found its level. */
export const LEAST_MS = 30_000;
/**
 * In a soak of seconds. A thread more in a pool, with its descriptors, is a step that a few samples do not tell from a slope; what
 * each connection or each cell leaves behind adds up to more than this.
 */
const LEAST_LEAK_PER_CYCLE = 0.5;

/** @param durationMs for which it was to be soaked */
export function grows(quantity: Quantity, { samples, quantities }: Soaked, durationMs: number): boolean {
  const { last, growth } = quantities[quantity];
  if (growth <= MOST_GROWTH) return false;
  if (durationMs >= LEAST_MS) return true;
  return quantity !== 'memoryBytes' && growth * last > LEAST_LEAK_PER_CYCLE * samples;
}
