/**
 * A memory that a test plays by hand: it writes down each step and answers what the test has prepared. For rules that are a matter of
 * order and of answers; what other threads can do in between is explored by the interleavings machine.
 */
import { INTS_PER_WORD, layOut, type Memory, type Step, type Steps } from '../../lock/memory.ts';
import type { Policy } from '../../lock/policy.ts';

export class ScriptedMemory implements Memory {
  readonly #names: readonly string[];
  #last = '';

  constructor(policy: Policy) {
    this.#names = Object.keys(policy.words);
  }

  /**
   * Runs a piece of a policy.
   *
   * @param answers what each step results in, by its text; `wait` also as a list, for one after the other. A step without an
   *   answer results in 0.
   * @returns the steps in their order
   */
  run(steps: Steps<unknown>, answers: Readonly<Record<string, number | readonly number[]>>): string[] {
    const done: string[] = [];
    const asked = new Map<string, number>();
    let step = steps.next();
    while (step.done !== true) {
      const text = this.#last;
      done.push(text);
      if (done.length > 1_000) throw new Error(`does not end: … ${done.slice(-10).join(', ')}`);
      const answer = answers[text] ?? 0;
      const times = asked.get(text) ?? 0;
      asked.set(text, times + 1);
      step = steps.next(typeof answer === 'number' ? answer : (answer[Math.min(times, answer.length - 1)] ?? 0));
    }
    return done;
  }

  load = (word: number) => this.#step('load', word);
  store = (word: number, value: number) => this.#step('store', word, value);
  exchange = (word: number, value: number) => this.#step('exchange', word, value);
  compareExchange = (word: number, expected: number, value: number) => this.#step('cas', word, expected, value);
  add = (word: number, amount: number) => this.#step('add', word, amount);
  wait = (word: number, expected: number, timeoutNs: number) => this.#step('wait', word, expected, timeoutNs);
  notify = (word: number, count: number) => this.#step('notify', word, count);

  #step(operation: string, word: number, ...values: number[]): Step {
    this.#last = [operation, this.#names[word / INTS_PER_WORD] ?? `word ${word}`, ...values].join(' ');
    return 0;
  }
}

type Answers = Parameters<ScriptedMemory['run']>[1];

/** Acquire and release of a policy as its thread `me` runs them: the answers go in, the steps come out. */
export function scripted(policy: Policy, options: Readonly<Record<string, number>>, me: number) {
  const rules = policy.rules(layOut(policy.words), options);
  const running = (piece: 'acquire' | 'release') => (answers: Answers) => {
    const memory = new ScriptedMemory(policy);
    return memory.run(rules[piece](memory, me), answers);
  };
  return { acquire: running('acquire'), release: running('release') };
}
