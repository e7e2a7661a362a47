/** How figures are written, everywhere on the page. */

/** `3.2 ms`, `118 ms`, `1.4 s`. */
export function formatMs(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1e3).toFixed(ms < 99_950 ? 1 : 0)} s`;
  return `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`;
}

export function formatShare(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** With a minus sign. */
export function formatPriority(priority: number): string {
  return String(priority).replace('-', '−');
}

/** Null of none. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle one, or the mean of the two. Not of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}
