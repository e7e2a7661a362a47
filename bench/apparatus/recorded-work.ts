/** A process of `npm run bench:recorder`: works under a lock of its own, recorded or not, a short turn each time it is asked. */
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, TICK_NS } from '../../lock/interpreter.ts';
import { loadPolicy } from '../../lock/load-policy.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { Recorder } from '../../lock/recorder.ts';
import { createRing } from '../../lock/ring.ts';

/** On its command line, as JSON. */
export interface RecordedWork {
  readonly policy: string;
  readonly recorded: boolean;
  readonly leafNs: number;
}

/** Nanoseconds that each piece of work took once. */
export interface RecordedCosts {
  /** A round of the CPU thread, alone with the lock. */
  readonly spinnerNs: number;
  /** Three calls, after which the lock is free: a message of the blocking server. */
  readonly messageNs: number;
  /** What the recorder is told of a message whose three calls each lost the lock, asked for it after one time-out, and got it back. */
  readonly stolenMessageNs: number;
}

/** One and a half milliseconds; the speed of a shared CPU changes within seconds. */
const FIB_OF_ROUND = 20;
const ROUNDS = 15;
const MESSAGES = 500;
const CALLS_PER_MESSAGE = 3;

const { policy: name, recorded, leafNs } = JSON.parse(process.argv[2] ?? '') as RecordedWork;
const spec = await readPolicySpec(name);
const policy = await loadPolicy(spec);
const clock = () => performance.now() * 1e6;
const recorder = recorded ? new Recorder(createRing(), clock) : null;
const lock = new GlobalLock(policy, spec.options, createLockState(policy), 1, recorder);
const interpreter = new Interpreter(lock, Math.max(leafNs, TICK_NS));
const alone = new Recorder(createRing(), clock);
lock.acquire();

function perOnce(times: number, work: () => void): number {
  const startMs = performance.now();
  for (let i = 0; i < times; i++) work();
  return ((performance.now() - startMs) * 1e6) / times;
}

function message(): void {
  for (let call = 0; call < CALLS_PER_MESSAGE; call++) {
    lock.leave(1, performance.now());
    lock.comeBack();
  }
}

function stolenMessage(): void {
  for (let call = 0; call < CALLS_PER_MESSAGE; call++) {
    alone.calls(1, 0);
    alone.wants(0);
    // The first sleep and the end of the last one are timed anyhow.
    alone.sleeps(0);
    alone.wakes();
    alone.requests();
    alone.sleeps();
    alone.wakes();
    alone.holds(2, 1);
  }
}

process.on('message', () => {
  process.send?.({
    spinnerNs: perOnce(ROUNDS, () => interpreter.fib(FIB_OF_ROUND)),
    messageNs: perOnce(MESSAGES, message),
    stolenMessageNs: perOnce(MESSAGES, stolenMessage),
  } satisfies RecordedCosts);
});
// Ends with whoever asks.
process.on('disconnect', () => process.exit());
process.send?.('ready');
