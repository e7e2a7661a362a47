/** Durations as people write them, `5ms`, and as programs hold them, in nanoseconds. */

const NS_PER_UNIT = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9 } as const;

/**
 * Reads a duration: a decimal number and one of the units ns, us (µs), ms, s, min. A bare `0` needs no unit.
 *
 * @returns nanoseconds, or undefined if the text is no duration
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|min)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * NS_PER_UNIT[match[2] as keyof typeof NS_PER_UNIT];
}

/**
 * Writes a duration so that {@link parseDuration} reads the same: the largest unit in which it is at least 1.
 *
 * @param ns nanoseconds, not negative
 */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0';
  const unit = ns >= 1e9 ? 's' : ns >= 1e6 ? 'ms' : ns >= 1e3 ? 'us' : 'ns';
  return `${Number((ns / NS_PER_UNIT[unit]).toPrecision(15))}${unit}`;
}
