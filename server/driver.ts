/**
 * What really happens. The slide of that name shows a server's `recv` and `send` as `<release GIL>`, the call, `<acquire GIL>`;
 * this is the one place in the project that says so.
 */
import type { GlobalLock } from '../lock/global-lock.ts';
import { type Interpreter, TICK_NS } from '../lock/interpreter.ts';
import type { Socket } from '../net/posix.ts';
import * as posix from '../net/posix.ts';
import type { CallLog } from './call-log.ts';
import type { ServerTask, SystemCall } from './calls.ts';

/** What a thread of a server runs with. */
export interface ServerThread {
  readonly lock: GlobalLock;
  readonly interpreter: Interpreter;
  /** CPU work before each call, under the lock, as an interpreter's bytecodes are; in ticks. */
  readonly ticksPerCall: number;
  /** Where the times of its calls are noted; null if nowhere. */
  readonly log: CallLog | null;
  /** Starts the server's `connection` in a new thread. */
  startThread(socket: Socket): void;
}

/**
 * Runs a server's task to its end in this thread, holding the lock whenever it is not in a call.
 *
 * @throws what the task throws; the lock is free again then too
 */
export function drive(task: ServerTask, thread: ServerThread): void {
  const { lock, interpreter, ticksPerCall, log } = thread;
  lock.acquire();
  try {
    let step = task.next();
    while (step.done !== true) {
      interpreter.work(ticksPerCall);
      let result = 0;
      let failure: unknown;
      const releasedMs = performance.now();
      lock.release();
      try {
        result = perform(step.value, thread);
      } catch (error) {
        failure = error;
      }
      const returnedMs = performance.now();
      lock.acquireAgain();
      log?.record(releasedMs, returnedMs, performance.now());
      step = failure === undefined ? task.next(result) : task.throw(failure);
    }
  } finally {
    lock.release();
  }
}

/** A word nobody notifies: waiting on it sleeps. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function perform(call: SystemCall, thread: ServerThread): number {
  switch (call.call) {
    case 'recv':
      return posix.recv(call.socket, call.into);
    case 'send':
      return posix.send(call.socket, call.from);
    case 'accept':
      return posix.accept(call.listener);
    case 'startThread':
      thread.startThread(call.socket);
      return 0;
    case 'toolkit':
      thread.interpreter.nativeWork(call.durationNs / TICK_NS);
      return 0;
    case 'sleep':
      Atomics.wait(sleeper, 0, 0, call.durationNs / 1e6);
      return 0;
  }
}
