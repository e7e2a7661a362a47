/** Parts of a simulated run, which may be on machines that know nothing of one another, and how it is seen that one is not there. */
import { z } from 'zod';
import { UsageError } from '../exit-codes.ts';

export const shardSchema = z.strictObject({ index: z.number().int().positive(), count: z.number().int().positive() });

/** Which part of a run: `2/8` is the second of eight. */
export type Shard = z.infer<typeof shardSchema>;

/** A run that is not in parts is all of itself. */
export const WHOLE: Shard = { index: 1, count: 1 };

/** @throws UsageError if the text is no such part */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && index >= 1 && index <= count) return { index, count };
  throw new UsageError(`--shard is I/N, the I-th of N parts, I from 1 to N; not «${text}»`);
}

export function formatShard({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/** @param shards parts of one run, with the same count */
export function missingShards(shards: readonly Shard[], count: number): Shard[] {
  const there = new Set(shards.map(({ index }) => index));
  return Array.from({ length: count }, (_, i) => ({ index: i + 1, count })).filter(({ index }) => !there.has(index));
}
