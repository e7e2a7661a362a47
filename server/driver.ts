/**
 * What really happens. The slide of that name shows a server's `recv` and `send` as `<release GIL>`, the call, `<acquire GIL>`;
 * this is the one place in the project that says so.
 */
import type { GlobalLock } from '../lock/global-lock.ts';
import type { Interpreter } from '../lock/interpreter.ts';
import type { Socket } from '../net/posix.ts';
import * as posix from '../net/posix.ts';
import type { ServerTask, SystemCall } from './calls.ts';

/** What a thread of a server runs with. */
export interface ServerThread {
  readonly lock: GlobalLock;
  readonly interpreter: Interpreter;
  /** CPU work before each call, under the lock, as an interpreter's bytecodes are; in ticks. */
  readonly ticksPerCall: number;
  /** Starts the server's `connection` in a new thread. */
  startThread(socket: Socket): void;
  /** Writes down why a connection ended that this thread owned. */
  noteConnectionError(error: string): void;
}

/**
 * Runs a server's task to its end in this thread, holding the lock whenever it is not in a call.
 *
 * @throws what the task throws; the lock is free again then too
 */
export function drive(task: ServerTask, thread: ServerThread): void {
  const { lock, interpreter, ticksPerCall } = thread;
  lock.acquire();
  try {
    let step = task.next();
    while (step.done !== true) {
      interpreter.work(ticksPerCall);
      let result = 0;
      let failure: unknown;
      lock.release();
      try {
        result = perform(step.value, thread);
      } catch (error) {
        failure = error;
      }
      lock.acquireAgain();
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
      return call.nonblocking ? posix.tryRecv(call.socket, call.into) : posix.recv(call.socket, call.into);
    case 'send':
      return call.nonblocking ? posix.trySend(call.socket, call.from) : posix.send(call.socket, call.from);
    case 'accept':
      return call.nonblocking ? posix.tryAccept(call.listener) : posix.accept(call.listener);
    case 'poll':
      return posix.poll(call.set, call.timeoutNs);
    case 'close':
      posix.close(call.socket);
      if (call.error !== null) thread.noteConnectionError(call.error);
      return 0;
    case 'startThread':
      thread.startThread(call.socket);
      return 0;
    case 'sleep':
      Atomics.wait(sleeper, 0, 0, call.durationNs / 1e6);
      return 0;
  }
}
