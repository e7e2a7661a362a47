/**
 * Atomic steps written down instead of performed, so that the search can decide when each happens.
 *
 * A policy is given a {@link StepRecorder} for its memory. Each method notes the step and returns a ticket; the policy yields the
 * ticket. On threads a step happens where the method is called, and here where it is yielded: a policy in which the two do not
 * go together, for instance because a `yield` was forgotten, means something else to each machine, and is refused.
 */
import { INTS_PER_WORD, type Memory, type Step, type Word } from '../../memory.ts';

/** A step on a word, named by its place among the policy's words: 0, 1, 2, … */
export type RecordedStep =
  | { readonly kind: 'load'; readonly word: number }
  | { readonly kind: 'store' | 'exchange'; readonly word: number; readonly value: number }
  | { readonly kind: 'compareExchange'; readonly word: number; readonly expected: number; readonly value: number }
  | { readonly kind: 'add'; readonly word: number; readonly amount: number }
  | { readonly kind: 'wait'; readonly word: number; readonly expected: number; readonly timeoutNs: number }
  | { readonly kind: 'notify'; readonly word: number; readonly count: number }
  /** No step on memory. What a holder does in a piece of a policy that has no steps, so that holding takes time all the same. */
  | { readonly kind: 'pause' };

/** What is wrong with the way a policy makes its steps, for its author to read. */
export class StepFault extends Error {
  override readonly name = 'StepFault';
}

/** Memory that writes steps down. One for each piece of a policy that is run. */
export class StepRecorder implements Memory {
  readonly #words: number;
  #ticket = 0;
  #noted: RecordedStep[] = [];

  /** @param words how many words the policy declared */
  constructor(words: number) {
    this.#words = words;
  }

  load(word: Word): Step {
    return this.#note({ kind: 'load', word: this.#place(word) });
  }

  store(word: Word, value: number): Step {
    return this.#note({ kind: 'store', word: this.#place(word), value: int32(value) });
  }

  exchange(word: Word, value: number): Step {
    return this.#note({ kind: 'exchange', word: this.#place(word), value: int32(value) });
  }

  compareExchange(word: Word, expected: number, value: number): Step {
    const step = { expected: int32(expected), value: int32(value) };
    return this.#note({ kind: 'compareExchange', word: this.#place(word), ...step });
  }

  add(word: Word, amount: number): Step {
    return this.#note({ kind: 'add', word: this.#place(word), amount: int32(amount) });
  }

  wait(word: Word, expected: number, timeoutNs: number): Step {
    if (!(timeoutNs >= 0)) throw new StepFault(`waits for ${timeoutNs} ns`);
    return this.#note({ kind: 'wait', word: this.#place(word), expected: int32(expected), timeoutNs });
  }

  notify(word: Word, count: number): Step {
    if (!(count === Infinity || (Number.isInteger(count) && count >= 0)))
      throw new StepFault(`notifies ${count} sleepers`);
    return this.#note({ kind: 'notify', word: this.#place(word), count });
  }

  /**
   * The step that was yielded.
   *
   * @param yielded what the generator yielded, whatever that is
   * @throws StepFault if that is not the one step made since the last call
   */
  take(yielded: unknown): RecordedStep {
    const noted = this.#noted;
    this.#noted = [];
    const [step] = noted;
    if (step === undefined) throw new StepFault('yields without a step: each yield is one call of the memory');
    if (noted.length > 1) {
      throw new StepFault(`makes ${noted.length} steps with one yield (${noted.map(({ kind }) => kind).join(', ')})`);
    }
    if (yielded !== this.#ticket)
      throw new StepFault(`yields ${String(yielded)}, which is not what ${step.kind}() returned`);
    return step;
  }

  /** @throws StepFault if a step was made and not yielded */
  end(): void {
    const [step] = this.#noted;
    if (step !== undefined) throw new StepFault(`ends with a step that was not yielded (${step.kind})`);
  }

  #note(step: RecordedStep): Step {
    this.#noted.push(step);
    return ++this.#ticket;
  }

  #place(word: Word): number {
    const place = word / INTS_PER_WORD;
    if (Number.isInteger(place) && place >= 0 && place < this.#words) return place;
    throw new StepFault(`uses a word it did not declare (${String(word)})`);
  }
}

/** As an `Int32Array` would hold it; anything but an integer is a mistake of the policy. */
function int32(value: number): number {
  if (!Number.isInteger(value)) throw new StepFault(`uses ${String(value)} as the value of a word`);
  return value | 0;
}
