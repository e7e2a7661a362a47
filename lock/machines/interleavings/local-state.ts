/**
 * Where suspended generators stand, and what their variables hold: asked of V8, as a debugger asks.
 *
 * With nothing but the results it was given to tell two runs of a policy apart, a search cannot see that a thread which tried
 * three times is where it was after trying once, or that it has forgotten what it loaded. V8 can: a generator is a place in the
 * text and some variables. This makes models of three threads a hundred times smaller, and finite whatever the number of time-outs.
 *
 * A variable that will not be read again may show an old value. Two positions then stay apart that could be one, which costs states and
 * nothing else; how many depends on which code V8 has compiled, so the number of states is not the same in every run.
 *
 * What a debugger does not show are results in the middle of an expression: `(yield a) + (yield b)` holds the first while it
 * waits for the second. So a result that is kept over a `yield` must be kept in a variable; `unfolding.ts` looks whether it is.
 */
import { Session } from 'node:inspector';
import { z } from 'zod';
import { StepRecorder } from './steps.ts';

const remoteValue = z.object({
  type: z.string(),
  className: z.string().optional(),
  value: z.unknown().optional(),
  unserializableValue: z.string().optional(),
  description: z.string().optional(),
  objectId: z.string().optional(),
});
const properties = z.object({
  result: z.array(z.object({ name: z.string(), value: remoteValue.optional() })),
  internalProperties: z.array(z.object({ name: z.string(), value: remoteValue.optional() })).optional(),
});
const evaluated = z.object({ result: remoteValue });

type RemoteValue = z.infer<typeof remoteValue>;

/** The methods that `yield*` calls are found here, on what all generators inherit. */
const generators = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())) as { next: GeneratorNext };
type GeneratorNext = (this: unknown, result: number) => IteratorResult<number, void>;

/** By this name the inspector finds what it is asked about. */
const SUBJECT = '__convoyGenerator';

/** Asks V8. One connection for the life of the process or worker: it costs nothing when it is not used. */
let session: Session | undefined;

function ask<Answer>(schema: z.ZodType<Answer>, method: string, parameters: object): Answer {
  session ??= connect();
  let answer: unknown;
  // On its own thread the inspector calls back before `post` returns.
  session.post(method, parameters, (error, result) => {
    answer = error ?? result;
  });
  return schema.parse(answer);
}

function connect(): Session {
  const connected = new Session();
  connected.connect();
  return connected;
}

/**
 * Runs something that resumes generators, and notes which are resumed by its last call of `next`, the outer before the inner it
 * delegates to.
 */
export class GeneratorWatch {
  #resumed: unknown[] = [];

  /** Everything that is watched runs in here: `yield*` looks its generator's `next` up once, when it begins. */
  during<Result>(work: () => Result): Result {
    const next = generators.next;
    const note = (generator: unknown) => this.#resumed.push(generator);
    generators.next = function (result) {
      note(this);
      return next.call(this, result);
    };
    try {
      return work();
    } finally {
      generators.next = next;
    }
  }

  /** Forgets those resumed so far. */
  reset(): void {
    this.#resumed = [];
  }

  /**
   * The state of those that are suspended now.
   *
   * @returns equal texts for equal states; undefined if they hold something that cannot be compared
   */
  localState(): string | undefined {
    const states: string[] = [];
    try {
      for (const generator of this.#resumed) {
        const state = stateOf(generator);
        if (state === undefined) return undefined;
        states.push(state);
      }
    } finally {
      delete (globalThis as Record<string, unknown>)[SUBJECT];
      ask(z.unknown(), 'Runtime.releaseObjectGroup', { objectGroup: SUBJECT });
    }
    return states.join('\n');
  }
}

function stateOf(generator: unknown): string | undefined {
  (globalThis as Record<string, unknown>)[SUBJECT] = generator;
  const expression = `globalThis.${SUBJECT}`;
  const { result } = ask(evaluated, 'Runtime.evaluate', { expression, objectGroup: SUBJECT });
  const internal = propertiesOf(result).internalProperties ?? [];
  const find = (name: string) => internal.find((each) => each.name === name)?.value;
  if (find('[[GeneratorState]]')?.value !== 'suspended') return '';
  const scopes = find('[[Scopes]]');
  if (scopes === undefined) return undefined;
  const parts = [JSON.stringify(find('[[GeneratorLocation]]')?.value)];
  let isOwn = true;
  for (const { value: scope } of propertiesOf(scopes).result) {
    const kind = /^(Local|Block|Closure|Catch)\b/.exec(scope?.description ?? '')?.[1];
    if (scope === undefined || kind === undefined) break;
    const isOfRules = scope.description === 'Closure (rules)';
    // Beyond its own scopes and those of rules() there may be anything, a whole module, and none of it is one thread's.
    if (kind === 'Closure' && !isOfRules) isOwn = false;
    for (const { name, value } of propertiesOf(scope).result) {
      if (!isOwn && value?.objectId !== undefined) continue;
      const text = value === undefined ? 'undefined' : textOf(value);
      if (text === undefined) return undefined;
      parts.push(`${name}=${text}`);
    }
    if (isOfRules) break;
  }
  return parts.join(' ');
}

function propertiesOf(object: RemoteValue): z.infer<typeof properties> {
  return ask(properties, 'Runtime.getProperties', { objectId: object.objectId, ownProperties: true });
}

function textOf(value: RemoteValue): string | undefined {
  if (value.type === 'function' || value.className === StepRecorder.name) return '';
  if (value.objectId === undefined) return value.unserializableValue ?? JSON.stringify(value.value) ?? 'undefined';
  if (value.className !== 'Array' && value.className !== 'Object') return undefined;
  const functionDeclaration = 'function () { return JSON.stringify(this); }';
  const written = ask(evaluated, 'Runtime.callFunctionOn', { functionDeclaration, objectId: value.objectId });
  return typeof written.result.value === 'string' ? written.result.value : undefined;
}
