/**
 * CPU threads in virtual time: the three kinds of `workers/spinner.ts`, whose work here is time that passes.
 */
import type { VirtualLock } from '../../lock/machines/virtual-time/lock.ts';
import type { Program, VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { SpinSetup } from '../../server/protocol.ts';

/** `fib(20)`: 233 leaves, 89 of them `fib(8)`, which is 67 calls to the 109 of `fib(9)`. */
export const LEAVES_PER_ROUND = 199;
const NATIVE_ROUND_NS = 50_000;
const NATIVE_ROUNDS_PER_CALL = 200;
const HASH_NS = 100_000;
const BETWEEN_HASHES_NS = 10_000;

/** What the program of a CPU thread needs. */
export interface SimulatedSpinner {
  readonly lock: VirtualLock;
  readonly kind: SpinSetup['kind'];
  readonly priority: number;
}

/** Computes for ever. Rounds of `fib` are counted by the machine, in leaves. */
export function* spin(thread: VirtualThread, spinner: SimulatedSpinner, countRound: () => void): Program {
  const { lock } = spinner;
  yield lock.acquire();
  yield lock.setPriority(spinner.priority);
  switch (spinner.kind) {
    case 'fib':
      yield lock.work(Infinity);
      throw new Error('work without end has ended');
    case 'native':
      for (;;) {
        for (let round = 0; round < NATIVE_ROUNDS_PER_CALL; round++) {
          yield thread.run(NATIVE_ROUND_NS);
          countRound();
        }
        yield lock.yieldPoint((NATIVE_ROUNDS_PER_CALL * NATIVE_ROUND_NS) / lock.tickNs);
      }
    case 'releasing':
      for (;;) {
        yield lock.leave(0);
        yield thread.run(HASH_NS);
        yield lock.comeBack();
        yield lock.work(BETWEEN_HASHES_NS);
        countRound();
      }
  }
}
