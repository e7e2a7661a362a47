/** From the text of one option to its value, or to what is wrong with it and what would be right. */
import type { Options } from 'yargs';
import { formatDuration, parseDuration } from '../../lock/duration.ts';
import { UsageError } from '../exit-codes.ts';
import { formatCpuList, parseCpuList, whyNotOn } from '../processes/cpu-list.ts';
import { formatSize, parseSize } from './size.ts';

/** yargs makes a list of an option that is given twice, also of one that can have one value only. */
export function refuseRepeated(
  args: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, Options>>,
): void {
  for (const [name, option] of Object.entries(options)) {
    if (option.array !== true && Array.isArray(args[name])) throw new UsageError(`--${name} is given more than once`);
  }
}

/** A whole number within limits, as an option gives it. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option} is a whole number from ${min} to ${max}, not «${text}»`);
}

export function duration(option: string, text: string, minNs: number, maxNs: number): number {
  const ns = parseDuration(text);
  if (ns !== undefined && ns >= minNs && ns <= maxNs) return ns;
  const range = `from ${formatDuration(minNs)} to ${formatDuration(maxNs)}`;
  throw new UsageError(`--${option} is a duration with its unit (ns, us, ms, s, min) ${range}, not «${text}»`);
}

export function size(option: string, text: string, minBytes: number, maxBytes: number): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes;
  const range = `from ${formatSize(minBytes)} to ${formatSize(maxBytes)}`;
  throw new UsageError(`--${option} is a size (B, kB, KiB, MB, MiB, GiB) ${range}, not «${text}»`);
}

/**
 * CPUs as an option gives them, in the one spelling of their list.
 *
 * @param text undefined if the option was not given
 */
export function cpuList(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const cpus = parseCpuList(text);
  if (cpus === undefined) throw new UsageError(`--${option} is a list of CPUs such as 0,2-3, not «${text}»`);
  return formatCpuList(cpus);
}

/** Refuses CPUs that are not there, or not allowed to this process. */
export function refuseCpus(option: string, cpus: string | undefined): void {
  const why = cpus === undefined ? null : whyNotOn(cpus);
  if (why !== null) throw new UsageError(`--${option}: ${why}`);
}

/** Splits at commas that are not inside parentheses: `py32(a=1,b=2),free-threaded` is two. */
export function split(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(/,(?![^(]*\))/))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

export function list<Name extends string>(option: string, texts: readonly string[], known: readonly Name[]): Name[] {
  const wanted = [...new Set(split(texts))];
  if (wanted.length === 0) throw new UsageError(`--${option} needs a name: ${known.join(', ')}`);
  return wanted.map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined) throw new UsageError(`there is no ${option} «${name}»; there are ${known.join(', ')}`);
    return found;
  });
}
