/** Runs generators on. Each function's have a shape of their own, and to find `next` in them anew costs more than many a step. */
const { next } = Object.getPrototypeOf(function* () {}.prototype) as Generator<unknown, unknown, unknown>;

/** What `generator.next(value)` does. */
export function resume<Yielded, Value>(
  generator: Generator<Yielded, unknown, Value>,
  value: Value,
): IteratorResult<Yielded, unknown> {
  return (next as Generator<Yielded, unknown, Value>['next']).call(generator, value);
}
