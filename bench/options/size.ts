/** Sizes as people write them, `8KiB`, and as programs hold them, in bytes. */

const BYTES_PER_UNIT = { B: 1, kB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/**
 * Reads a size: a number and one of the units B, kB, KiB, MB, MiB, GiB. A number without a unit is bytes.
 *
 * @returns a whole number of bytes, or undefined if the text is no such size
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|kB|KiB|MB|MiB|GiB)?$/.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * BYTES_PER_UNIT[(match[2] ?? 'B') as keyof typeof BYTES_PER_UNIT];
  return Number.isInteger(bytes) ? bytes : undefined;
}

/** Writes a size so that {@link parseSize} reads the same. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= BYTES_PER_UNIT[unit] && bytes % BYTES_PER_UNIT[unit] === 0)
      return `${bytes / BYTES_PER_UNIT[unit]}${unit}`;
  }
  return `${bytes}B`;
}
