/**
 * CPU threads in virtual time: the three kinds of `workers/spinner.ts`, whose work here is time that passes.
 */
import type { VirtualLock } from '../../lock/machines/virtual-time/lock.ts';
import type { Machine } from '../../lock/machines/virtual-time/machine.ts';
import { OFFER, type Program, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import { INTS_PER_WORD } from '../../lock/memory.ts';
import type { SpinSetup } from '../../server/protocol.ts';

/** `fib(20)`: 377 leaves, 144 of them `fib(7)`, which is 41 calls to the 67 of `fib(8)`. */
export const LEAVES_PER_ROUND = 321;
const NATIVE_ROUND_NS = 50_000;
const NATIVE_ROUNDS_PER_CALL = 200;
const HASH_NS = 100_000;
const BETWEEN_HASHES_NS = 10_000;

/** What the program of a CPU thread needs. */
export interface SimulatedSpinner {
  readonly machine: Machine;
  readonly lock: VirtualLock;
  readonly kind: SpinSetup['kind'];
  readonly priority: number;
  readonly tickNs: number;
  /** Whether offers that nobody takes may be counted instead of made: {@link fib}. */
  readonly skips: boolean;
}

/** Computes for ever. Rounds of `fib` are counted by the machine, in leaves. */
export function* spin(thread: VirtualThread, spinner: SimulatedSpinner, countRound: () => void): Program {
  const { lock, tickNs } = spinner;
  yield* lock.acquire();
  yield* lock.setPriority(spinner.priority);
  switch (spinner.kind) {
    case 'fib':
      return yield* fib(thread, spinner);
    case 'native':
      for (;;) {
        for (let round = 0; round < NATIVE_ROUNDS_PER_CALL; round++) {
          yield thread.run(NATIVE_ROUND_NS);
          countRound();
        }
        yield* lock.yieldPoint((NATIVE_ROUNDS_PER_CALL * NATIVE_ROUND_NS) / tickNs);
      }
    case 'releasing':
      for (;;) {
        yield* lock.leave(0);
        yield thread.run(HASH_NS);
        yield* lock.comeBack();
        yield* lock.work(BETWEEN_HASHES_NS / tickNs);
        countRound();
      }
  }
}

/**
 * Under a policy that counts ticks a CPU thread offers the lock every few microseconds, and mostly nobody wants it. When the thread
 * has been alone from one offer to the next (no event came or was made) and left the words as it found them, it will go on so until the
 * next event: the time is moved on by whole periods. Only for policies that come with Convoy: another might count its own offers.
 */
function* fib(thread: VirtualThread, { machine, lock, skips }: SimulatedSpinner): Program {
  const { values } = lock.state.words;
  const before = new Int32Array(values.length);
  let result = yield thread.work(Infinity, true, lock);
  for (;;) {
    if (result !== OFFER) throw new Error('work without end has ended');
    const { nowNs, commotion } = machine;
    const { leavesDone, stepsMade } = thread;
    for (let word = 0; skips && word < values.length; word += INTS_PER_WORD) before[word] = values[word] as number;
    yield* lock.offer();
    result = yield thread.work(Infinity, false, lock);
    if (!skips || machine.commotion !== commotion || differ(before, values)) continue;
    const times = machine.skip(machine.nowNs - nowNs);
    lock.books.offered(times);
    thread.leavesDone += times * (thread.leavesDone - leavesDone);
    thread.stepsMade += times * (thread.stepsMade - stepsMade);
  }
}

function differ(before: Int32Array, values: Int32Array): boolean {
  for (let word = 0; word < values.length; word += INTS_PER_WORD) if (before[word] !== values[word]) return true;
  return false;
}
