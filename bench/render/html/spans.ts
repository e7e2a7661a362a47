/** From events to what lies between them. Shared with the page's script, and so without the vocabulary itself. */
import type { State } from '../../../lock/timeline.ts';

/** A stretch of time in which a thread was in one state. */
export interface Span {
  readonly state: State;
  /** Of `call`, which one. */
  readonly call?: number;
  readonly fromNs: number;
  readonly untilNs: number;
}

/** A moment in between. */
export interface Mark {
  readonly mark: string;
  readonly atNs: number;
}

/**
 * Splits a thread's events.
 *
 * @param words the vocabulary that `event` has indexes into
 * @param states how many of them are states; the rest are marks
 */
export function splitEvents(
  {
    atNs,
    event,
    by = [],
  }: { readonly atNs: readonly number[]; readonly event: readonly number[]; readonly by?: readonly number[] },
  untilNs: number,
  words: readonly string[],
  states: number,
): { readonly spans: Span[]; readonly marks: Mark[] } {
  const spans: Span[] = [];
  const marks: Mark[] = [];
  let open: Omit<Span, 'untilNs'> | null = null;
  for (const [i, at] of atNs.entries()) {
    const word = event[i] ?? 0;
    if (word >= states) {
      marks.push({ mark: words[word] ?? '', atNs: at });
      continue;
    }
    if (open !== null && at > open.fromNs) spans.push({ ...open, untilNs: at });
    open = { state: words[word] as State, call: by[i] ?? 0, fromNs: at };
  }
  if (open !== null && untilNs > open.fromNs) spans.push({ ...open, untilNs });
  return { spans, marks };
}

/** The parts of spans, in ascending order, that lie in a stretch of time. */
export function clipSpans(spans: readonly Span[], fromNs: number, untilNs: number): Span[] {
  return spans
    .filter((span) => span.untilNs > fromNs && span.fromNs < untilNs)
    .map((span) => ({
      ...span,
      fromNs: Math.max(span.fromNs, fromNs),
      untilNs: Math.min(span.untilNs, untilNs),
    }));
}
