/**
 * What stands for an interpreter's bytecodes: CPU work under the lock, with yield points, counted in ticks.
 *
 * The work is `fib` by recursion, the talk's own CPU thread. A yield point on every call would cost more than the call, so they
 * stand at the leaves: subtrees of the recursion of 0.2 to 0.4 µs that run without one, as an interpreter looks at its breaker on
 * backward jumps and function entries, not on every instruction.
 */
import type { GlobalLock } from './global-lock.ts';
import type { PolicySpec } from './policy-spec.ts';

/** How long a tick of work takes unless a profile says otherwise. 100 of them, CPython 2.7's check interval, are 4 µs. */
export const TICK_NS = 40;

/** `fib(LEAF)` runs without a yield point: 109 calls. */
const LEAF = 9;

function fib(n: number): number {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/** How many calls `fib(n)` makes, itself included. */
function callsOf(n: number): number {
  return n < 2 ? 1 : 1 + callsOf(n - 1) + callsOf(n - 2);
}

/** How many leaves the n-th Fibonacci number is, by its calls. */
export function leavesOf(n: number): number {
  return callsOf(n) / callsOf(LEAF);
}

/** The work of one thread. Every method but one is called with the lock held and returns with it held. */
export class Interpreter {
  /** How long a tick of this thread's work takes. */
  readonly tickNs: number;
  readonly #lock: GlobalLock;
  readonly #leafNs: number;
  /** Ticks in a leaf `fib(n)`, by n. */
  readonly #leafTicks: readonly number[];

  /**
   * @param lock the thread's handle, asked at every yield point
   * @param leafNs how long one leaf takes on this machine: {@link measureLeafNs}
   */
  constructor(lock: GlobalLock, leafNs: number, tickNs = TICK_NS) {
    this.tickNs = tickNs;
    this.#lock = lock;
    this.#leafNs = leafNs;
    const ticksOfCall = leafNs / tickNs / callsOf(LEAF);
    this.#leafTicks = Array.from({ length: LEAF + 1 }, (_, n) => callsOf(n) * ticksOfCall);
  }

  /** Works for so long, to the nearest leaf above. */
  work(durationNs: number): void {
    for (let leftNs = durationNs; leftNs > 0; leftNs -= this.#leafNs) this.fib(LEAF);
  }

  /** The same work by a native library: no yield points, and no need of the lock. */
  nativeWork(durationNs: number): void {
    for (let leftNs = durationNs; leftNs > 0; leftNs -= this.#leafNs) fib(LEAF);
  }

  /** The n-th Fibonacci number by recursion. */
  fib(n: number): number {
    if (n > LEAF) return this.fib(n - 1) + this.fib(n - 2);
    const leafTicks = this.#leafTicks[n] as number;
    this.#lock.yieldPoint(leafTicks);
    return fib(n);
  }
}

/**
 * How long a tick of a CPU thread takes.
 *
 * @param leafNs how long a leaf takes
 */
export function spinnerTickNs(
  { tickNs, ticksPerLeaf }: Pick<PolicySpec, 'tickNs' | 'ticksPerLeaf'>,
  leafNs: number,
): number {
  return tickNs ?? (ticksPerLeaf === undefined ? TICK_NS : leafNs / ticksPerLeaf);
}

/**
 * How long a tick of a server's thread takes. In CPython 2.7 a tick is a bytecode, and those between two calls are few and long, since most
 * call something; of `fib` they are many and short.
 *
 * @param leafNs how long a leaf takes
 */
export function serverTickNs(
  spec: Pick<PolicySpec, 'tickNs' | 'ticksPerLeaf' | 'ticksPerCall'>,
  workPerCallNs: number,
  leafNs: number,
): number {
  return spec.ticksPerCall === undefined ? spinnerTickNs(spec, leafNs) : workPerCallNs / spec.ticksPerCall;
}

/**
 * Measures the length of a leaf on the machine as it is, for {@link Interpreter}. Takes some 20 ms. The fastest of many batches
 * counts: everything that can disturb a batch makes it longer.
 *
 * @param interpreter one whose lock nobody else uses, so that the yield points are in the time but never taken
 * @returns nanoseconds
 */
export function measureLeafNs(interpreter: Interpreter): number {
  const leavesPerBatch = 1_000;
  let bestNs = Infinity;
  for (let batch = 0; batch < 100; batch++) {
    const startMs = performance.now();
    for (let i = 0; i < leavesPerBatch; i++) interpreter.fib(LEAF);
    bestNs = Math.min(bestNs, ((performance.now() - startMs) * 1e6) / leavesPerBatch);
  }
  return bestNs;
}
