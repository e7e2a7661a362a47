/**
 * What really happens, in virtual time: the order of `server/driver.ts` (work, release, the call, acquire) for a thread whose time is
 * simulated. The few lines are written again because there they run on a real thread between two system calls, where a generator
 * for each would be measured with them.
 */
import type { VirtualLock } from '../../lock/machines/virtual-time/lock.ts';
import type { Program, VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Socket } from '../../net/posix.ts';
import { type AsynchronousCall, type AsynchronousTask, CALL_NUMBER, type SystemCall } from '../../server/calls.ts';
import { COLD_AFTER_MS, cannotBlock } from '../../server/driver.ts';
import { type Call, type Kernel, TIMER } from './kernel.ts';
import type { SimulatedZmqSocket } from './libzmq.ts';
import type { Profile } from './profile.ts';

/** What a thread of the simulated server runs with. */
export interface SimulatedServerThread {
  readonly kernel: Kernel;
  readonly lock: VirtualLock;
  readonly workPerCallNs: number;
  readonly keepsLockOnNonblocking: boolean;
  /** The socket of a ZeroMQ server: what its task calls the router stands for it. */
  readonly router: SimulatedZmqSocket | null;
  /** What zeromq.js adds to the calls of libzmq. */
  readonly zeromq: Pick<Profile['zeromq'], 'wayNs' | 'sendNs' | 'eventLoopNs'>;
  /** Released, returned, acquired of each call in turn. */
  readonly log: number[];
  startThread(socket: Socket): void;
  noteConnectionError(error: string): void;
}

/** Runs a server's task to its end. */
export function* drive(task: AsynchronousTask, thread: VirtualThread, server: SimulatedServerThread): Program {
  const { lock, log, kernel, router } = server;
  const { machine } = kernel;
  yield lock.acquire();
  let isCold = true;
  let step = task.next();
  while (step.done !== true) {
    let result = 0;
    let failure: unknown;
    const keepsLock = server.keepsLockOnNonblocking && cannotBlock(step.value);
    // As in server/driver.ts, where of a task that waits in the event loop only the send has a way.
    const hasWay = router === null || step.value.call === 'zmqSend';
    const goesTheWay = isCold && hasWay && lock.state.policy.exclusive;
    if (goesTheWay)
      yield thread.run(router === null ? kernel.wayNs(thread) : server.zeromq.wayNs + machine.coldNs(thread, 'zmqWay'));
    const coldNs = machine.coldNs(thread, 'work');
    if (coldNs > 0) yield thread.run(coldNs);
    yield lock.work(server.workPerCallNs);
    const leftNs = machine.nowNs;
    if (!keepsLock) yield lock.leave(CALL_NUMBER[step.value.call]);
    try {
      const call = begin(step.value, thread, server, goesTheWay);
      if (call !== null) result = yield* call;
    } catch (error) {
      failure = error;
    }
    const returnedNs = machine.nowNs;
    if (!keepsLock) yield lock.comeBack();
    log.push(leftNs, returnedNs, machine.nowNs);
    isCold = machine.nowNs - leftNs > COLD_AFTER_MS * 1e6;
    step = failure === undefined ? task.next(result) : task.throw(failure);
  }
  yield lock.release();
}

/** @returns the call under way; null: it takes no time and returns 0. No generator itself: one more for each turn of a call costs */
function begin(
  call: SystemCall | AsynchronousCall,
  thread: VirtualThread,
  server: SimulatedServerThread,
  wentTheWay: boolean,
): Call | null {
  const { kernel } = server;
  switch (call.call) {
    case 'recv':
      return kernel.recv(thread, call.peer.socket, call.into, call.nonblocking === true);
    case 'send':
      return kernel.send(thread, call.peer.socket, call.from, call.nonblocking === true);
    case 'accept':
      return kernel.accept(thread, call.listener, call.nonblocking === true);
    case 'poll':
      return kernel.poll(thread, call.set, call.timeoutNs);
    case 'close':
      kernel.sockets.close(call.socket);
      if (call.error !== null) server.noteConnectionError(call.error);
      return null;
    case 'startThread':
      server.startThread(call.socket);
      return null;
    case 'toolkit':
      return passes(thread.run(call.durationNs));
    case 'sleep':
      return passes(thread.sleepFor(call.durationNs, TIMER.pause));
    case 'zmqProxy':
      return proxy(thread, routerOf(server));
    case 'zmqReceive':
      return zmqReceive(thread, server, call.into);
    case 'zmqSend':
      return zmqSend(thread, server, call.frames, wentTheWay);
  }
}

function* passes(request: number): Call {
  yield request;
  return 0;
}

function* proxy(thread: VirtualThread, router: SimulatedZmqSocket): Call {
  for (;;) yield* router.send(thread, yield* router.receive(thread));
}

function* zmqReceive(thread: VirtualThread, server: SimulatedServerThread, into: Uint8Array[]): Call {
  const frames = yield* routerOf(server).receive(thread);
  yield thread.run(server.zeromq.eventLoopNs);
  into.splice(0, into.length, ...frames);
  return frames.length;
}

function* zmqSend(
  thread: VirtualThread,
  server: SimulatedServerThread,
  frames: readonly Uint8Array[],
  wentTheWay: boolean,
): Call {
  const { kernel, zeromq } = server;
  const coldWayNs = wentTheWay ? 0 : kernel.machine.coldNs(thread, 'zmqWay');
  yield thread.run(zeromq.sendNs + coldWayNs + kernel.machine.coldNs(thread, 'zmqSend'));
  // The task fills the same array with the next message.
  return yield* routerOf(server).send(thread, [...frames]);
}

function routerOf({ router }: SimulatedServerThread): SimulatedZmqSocket {
  if (router === null) throw new Error('the server has no ZeroMQ socket');
  return router;
}
