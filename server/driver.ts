/**
 * What really happens. The slide of that name shows a server's `recv` and `send` as `<release GIL>`, the call, `<acquire GIL>`;
 * this is the one place in the project that says so.
 */
import type { GlobalLock } from '../lock/global-lock.ts';
import type { Interpreter } from '../lock/interpreter.ts';
import * as libzmq from '../net/libzmq.ts';
import type { Socket } from '../net/posix.ts';
import * as posix from '../net/posix.ts';
import type { CallLog } from './call-log.ts';
import {
  type AsynchronousCall,
  type AsynchronousTask,
  CALL_NUMBER,
  type ServerTask,
  type SystemCall,
} from './calls.ts';
import { type Peer, tooLate } from './peer.ts';

/** What a thread of a server runs with. */
export interface ServerThread {
  readonly lock: GlobalLock;
  readonly interpreter: Interpreter;
  /** CPU work before each call, under the lock, as an interpreter's bytecodes are. */
  readonly workPerCallNs: number;
  /** Calls that cannot block are made with the lock held: the talk's closing question. */
  readonly keepsLockOnNonblocking: boolean;
  /** Where the times of its calls are noted; null if nowhere. */
  readonly log: CallLog | null;
  /** Starts the server's `connection` in a new thread. */
  startThread(socket: Socket): void;
  /** Writes down why a connection ended that this thread owned. */
  noteConnectionError(error: string): void;
}

/** A thread that was away for longer slept, and others had its CPU. No call that does not wait takes so long. */
export const COLD_AFTER_MS = 0.1;

/**
 * Runs a server's task to its end in this thread, holding the lock whenever it is not in a call.
 *
 * @throws what the task throws; the lock is free again then too, unless it is lost
 */
export function drive(task: ServerTask, thread: ServerThread): void {
  thread.lock.acquire();
  let isCold = true;
  try {
    let step = task.next();
    while (step.done !== true) {
      let result = 0;
      let failure: unknown;
      const keepsLock = thread.keepsLockOnNonblocking && cannotBlock(step.value);
      // What an FFI costs that went cold, several times the call of an interpreter in C, is paid here, under the lock: without it the
      // time away from the lock, in which another thread can take it, would be that long. Where many hold it nothing depends on that.
      if (isCold && thread.lock.exclusive) posix.goTheWay();
      const leftMs = keepsLock ? stay(thread) : leave(thread, step.value);
      try {
        result = perform(step.value, thread, leftMs);
      } catch (error) {
        failure = error;
      }
      const backMs = keepsLock ? noteKept(thread, leftMs) : comeBack(thread, leftMs);
      isCold = backMs - leftMs > COLD_AFTER_MS;
      step = failure === undefined ? task.next(result) : task.throw(failure);
    }
  } catch (error) {
    thread.lock.releaseAfter(error);
    throw error;
  }
  thread.lock.release();
}

/**
 * The same for a task that waits in the event loop: {@link drive} with an await in front of the call that waits, and a function of
 * its own, so that blocking servers do not pay for promises. Meanwhile the thread hears messages, without the lock.
 */
export async function driveAsynchronously(task: AsynchronousTask, thread: ServerThread): Promise<void> {
  thread.lock.acquire();
  let isCold = true;
  try {
    let step = task.next();
    while (step.done !== true) {
      let result = 0;
      let failure: unknown;
      // As in drive. A receive waits anyway: how long its way takes nothing depends on.
      if (isCold && thread.lock.exclusive && step.value.call === 'zmqSend' && !step.value.socket.closed) {
        step.value.socket.goTheWay();
      }
      const leftMs = leave(thread, step.value);
      try {
        result = step.value.call === 'zmqReceive' ? await receive(step.value) : perform(step.value, thread, leftMs);
      } catch (error) {
        failure = error;
      }
      isCold = comeBack(thread, leftMs) - leftMs > COLD_AFTER_MS;
      step = failure === undefined ? task.next(result) : task.throw(failure);
    }
  } catch (error) {
    thread.lock.releaseAfter(error);
    throw error;
  }
  thread.lock.release();
}

/** From the task to a call that keeps the lock: the interpreter's work. Returns when that was done. */
function stay({ interpreter, workPerCallNs }: ServerThread): number {
  interpreter.work(workPerCallNs);
  return performance.now();
}

/** From the task to its call: the interpreter's work, then the lock is given up. Returns when that was. */
function leave(thread: ServerThread, { call }: SystemCall | AsynchronousCall): number {
  const leftMs = stay(thread);
  thread.lock.leave(CALL_NUMBER[call], leftMs);
  return leftMs;
}

/** Back from the call, to the lock. Returns when it was had. */
function comeBack({ lock, log }: ServerThread, leftMs: number): number {
  const acquiredMs = lock.comeBack();
  log?.record(leftMs, lock.sleptAtMs || acquiredMs, acquiredMs);
  return acquiredMs;
}

/** Back from a call that kept the lock. Returns when that was. */
function noteKept({ log }: ServerThread, leftMs: number): number {
  const returnedMs = performance.now();
  log?.record(leftMs, returnedMs, returnedMs);
  return returnedMs;
}

/** Those that are made so that they return at once when there is nothing to do. */
export function cannotBlock(call: SystemCall | AsynchronousCall): boolean {
  switch (call.call) {
    case 'accept':
    case 'recv':
    case 'send':
      return call.nonblocking === true;
    case 'poll':
      return call.timeoutNs === 0;
    default:
      return false;
  }
}

/** A word nobody notifies: waiting on it sleeps. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** @param leftMs when the thread left the interpreter for the call */
function perform(call: SystemCall, thread: ServerThread, leftMs: number): number {
  switch (call.call) {
    case 'recv':
      return call.nonblocking
        ? posix.tryRecv(call.peer.socket, call.into)
        : transfer(posix.recv, call.peer, call.into, leftMs);
    case 'send':
      return call.nonblocking
        ? posix.trySend(call.peer.socket, call.from)
        : transfer(posix.send, call.peer, call.from, leftMs);
    case 'accept':
      return call.nonblocking ? posix.tryAccept(call.listener) : posix.accept(call.listener);
    case 'poll': {
      const ready = posix.poll(call.set, call.timeoutNs);
      call.set.noteTimes(leftMs * 1e6, performance.now() * 1e6);
      return ready;
    }
    case 'close':
      posix.close(call.socket);
      if (call.error !== null) thread.noteConnectionError(call.error);
      return 0;
    case 'startThread':
      thread.startThread(call.socket);
      return 0;
    case 'toolkit':
      thread.interpreter.nativeWork(call.durationNs);
      return 0;
    case 'sleep':
      Atomics.wait(sleeper, 0, 0, call.durationNs / 1e6);
      return 0;
    case 'zmqProxy':
      libzmq.proxy(call.frontend, call.backend);
      return 0;
    case 'zmqSend':
      // zeromq.js hands out what a socket has received as it closes.
      if (call.socket.closed) return 0;
      call.socket.send(call.frames);
      return call.frames.length;
  }
}

/**
 * A blocking call, which returns from time to time when nothing happens (`posix.limitWaits`): made again, without the lock, while the
 * peer has time left. Who moves all bytes at once is not timed.
 *
 * @throws ProtocolError if its time is over
 */
function transfer(
  make: (socket: Socket, bytes: Uint8Array) => number,
  peer: Peer,
  bytes: Uint8Array,
  beganMs: number,
): number {
  let sinceMs = beganMs;
  for (;;) {
    const moved = make(peer.socket, bytes);
    if (moved === bytes.length) return moved;
    const nowMs = performance.now();
    peer.leftNs -= (nowMs - sinceMs) * 1e6;
    if (peer.leftNs <= 0) throw tooLate(peer);
    if (moved !== posix.NOTHING) return moved;
    sinceMs = nowMs;
  }
}

/** What zeromq.js says to a wait that the end of its socket interrupts (EAGAIN) differs from what it says to a later one (EBADF). */
async function receive({ socket, into }: AsynchronousCall): Promise<number> {
  try {
    const frames = await socket.receive();
    // One by one: a spread of as many frames as a peer likes to send would overflow the stack.
    into.length = 0;
    for (const frame of frames) into.push(frame);
    return frames.length;
  } catch (error) {
    if (socket.closed) return 0;
    throw error;
  }
}
