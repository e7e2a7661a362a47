/** How figures are written for people: everywhere the same, by the metric's unit. */
import type { Interval } from '../figures/bootstrap.ts';
import { METRICS, type MetricName, type Unit } from '../figures/metrics.ts';

const WRITE: Readonly<Record<Unit, (value: number) => string>> = {
  seconds: (ns) => (ns / 1e9).toFixed(1),
  milliseconds: (ns) => threeDigits(ns / 1e6),
  ratio: (ratio) => (ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)),
  share: (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`,
  count: (count) => count.toFixed(2),
};

/** Down to a microsecond. */
function threeDigits(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  if (ms >= 10) return ms.toFixed(1);
  return ms.toFixed(ms >= 1 ? 2 : 3);
}

/** Without its unit, except per cent; empty if there is none. */
export function writeFigure(name: MetricName, value: number | null): string {
  return value === null ? '' : WRITE[METRICS[name].unit](value);
}

/** `6.37 (5.33–7.41)`. */
export function writeWithInterval(name: MetricName, value: number | null, interval: Interval | null): string {
  const figure = writeFigure(name, value);
  return figure === '' || interval === null ? figure : `${figure} (${writeInterval(name, interval)})`;
}

export function writeInterval(name: MetricName, { low, high }: Interval): string {
  return `${writeFigure(name, low)}–${writeFigure(name, high)}`;
}

/** With its unit, for a line of text: `15.4 ms`. */
export function writeWithUnit(name: MetricName, value: number): string {
  const { unit } = METRICS[name];
  const units: Readonly<Record<Unit, string>> = {
    seconds: ' s',
    milliseconds: ' ms',
    ratio: '×',
    share: '',
    count: '',
  };
  return `${writeFigure(name, value)}${units[unit]}`;
}

/** `1 message`, `2 messages`. */
export function plural(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}
