/** Whole numbers as sweeps write them: `8`, `1,2,4,8`, `1..64`, `1..4,8,16`. */
import { UsageError } from '../exit-codes.ts';

/**
 * @returns ascending, each once
 * @throws UsageError if the text is no such list, or has a number outside min to max
 */
export function parseRange(option: string, text: string, min: number, max: number): number[] {
  const wrong = () =>
    new UsageError(`--${option} is whole numbers from ${min} to ${max}: 8, 1,2,4 or 1..8; not «${text}»`);
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,12})(?:\.\.(\d{1,12}))?\s*$/.exec(part);
    if (match === null) throw wrong();
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (from < min || to > max || from > to) throw wrong();
    for (let n = from; n <= to; n++) numbers.add(n);
  }
  return [...numbers].sort((a, b) => a - b);
}
