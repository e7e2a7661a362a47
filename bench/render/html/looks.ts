/** How the columns of a result look: a number for each, from which colour, dash and symbol follow (`options/looks.ts`). */
import type { Result } from '../../result/result.ts';

/** The talk's policies look the same in every report. */
const KNOWN: readonly string[] = ['py27', 'py32', 'pypy16', 'priority', 'free-threaded'];

/** A label → its look. */
export type Looks = (label: string) => number;

export function looksOf({ policies }: Pick<Result, 'policies'>): Looks {
  const others = policies.map(({ label }) => label).filter((label) => !KNOWN.includes(label));
  const all = [...KNOWN, ...others];
  return (label) => Math.max(0, all.indexOf(label));
}
