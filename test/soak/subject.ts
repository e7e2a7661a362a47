/** What a soak does again and again to one process, and what that process holds after each time. */
import type { Usage } from '../usage.ts';
import { growth, type Sample, troughs } from './trend.ts';

export interface Subject {
  readonly name: string;
  /** After fewer nothing can be said of it. */
  readonly leastCycles: number;
  /** Does it once more. */
  cycle(): Promise<void>;
  /** What the process holds, with nothing going on. */
  usage(): Usage;
  /** Ends it. */
  stop(): Promise<void>;
}

/** What is looked at, in the order of the table. */
export const QUANTITIES = ['memoryBytes', 'descriptors', 'threads', 'children'] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface Soaked {
  readonly name: string;
  readonly cycles: number;
  /** Those after the warm-up. */
  readonly samples: number;
  /** After the warm-up: level at the end, and growth over the time as a part of the level. */
  readonly quantities: Readonly<Record<Quantity, { readonly last: number; readonly growth: number }>>;
}

/** The part of the time, and of the least cycles, in which the engine compiles, heaps find their size and pools fill. */
const WARM_UP = 0.25;
const SAMPLES_PER_TROUGH = 8;
/** Of fewer no trend is taken. */
const LEAST_TROUGHS = 4;

/** Soaks for so long, and as much longer as the least cycles take. */
export async function soak(subject: Subject, durationMs: number): Promise<Soaked> {
  const startedMs = performance.now();
  const usages: { readonly atMs: number; readonly usage: Usage }[] = [];
  let cycles = 0;
  try {
    while (performance.now() - startedMs < durationMs || cycles < subject.leastCycles) {
      await subject.cycle();
      cycles++;
      const atMs = performance.now() - startedMs;
      const isWarm = atMs >= WARM_UP * durationMs && cycles > WARM_UP * subject.leastCycles;
      if (isWarm) usages.push({ atMs, usage: subject.usage() });
    }
  } finally {
    await subject.stop();
  }
  const of = (quantity: Quantity) => {
    const samples: Sample[] = usages.map(({ atMs, usage }) => ({ atMs, value: usage[quantity] }));
    const enough = samples.length >= LEAST_TROUGHS * SAMPLES_PER_TROUGH;
    const judged = quantity === 'memoryBytes' && enough ? troughs(samples, SAMPLES_PER_TROUGH) : samples;
    return { last: samples.at(-1)?.value ?? 0, growth: growth(judged) };
  };
  return {
    name: subject.name,
    cycles,
    samples: usages.length,
    quantities: {
      memoryBytes: of('memoryBytes'),
      descriptors: of('descriptors'),
      threads: of('threads'),
      children: of('children'),
    },
  };
}
