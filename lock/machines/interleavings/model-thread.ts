/**
 * The threads of the model: what they do with the lock, as the servers' and the spinner's threads do it, with everything else
 * left out. Written `io2`: makes two calls; `cpu2`: passes two yield points; `cpu1@-1`: sets its priority first.
 */

/** A thread of the model. */
export interface ModelThread {
  /** I/O-like: gives the lock up around `times` calls. CPU-like: looks at `times` yield points whether it must offer it. */
  readonly kind: 'io' | 'cpu';
  readonly times: number;
  /** What it sets its priority to when it first holds the lock. 0, as at birth: it does not. */
  readonly priority: number;
}

/** The most threads a model has. More would need more than the bounds of any search. */
export const MAX_MODEL_THREADS = 4;

/** Writes a model: `io1+cpu2@-1`. */
export function formatModel(model: readonly ModelThread[]): string {
  return model.map(({ kind, times, priority }) => `${kind}${times}${priority === 0 ? '' : `@${priority}`}`).join('+');
}

/**
 * Reads what {@link formatModel} writes.
 *
 * @returns undefined if the text is no model
 */
export function parseModel(text: string): ModelThread[] | undefined {
  const parts = text.split('+');
  if (parts.length > MAX_MODEL_THREADS) return undefined;
  const threads: ModelThread[] = [];
  for (const part of parts) {
    const match = /^(io|cpu)(\d)(?:@(-?[1-9]))?$/.exec(part);
    if (match === null) return undefined;
    threads.push({ kind: match[1] as ModelThread['kind'], times: Number(match[2]), priority: Number(match[3] ?? 0) });
  }
  return threads;
}
