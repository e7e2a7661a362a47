/**
 * The system calls a server can make, as data. A server is a generator that yields them: what Beazley's lectures on coroutines
 * call traps. Whoever drives the server performs each call and passes the result back in: on real sockets `driver.ts`, in
 * simulated time the simulator. A call that fails is thrown into the generator as a `SystemError`.
 *
 * A call that says `nonblocking` cannot block: its result is `NOTHING` where it would have had to. It gives up the lock all the
 * same, as Python's does.
 *
 *     const connection = yield* accept(listener);
 */
import { ProtocolError } from '../net/frame.ts';
import type { ZmqSocket } from '../net/libzmq.ts';
import type { PollSet } from '../net/poll-set.ts';
import type { Socket } from '../net/posix.ts';
import type { Peer } from './peer.ts';

export type SystemCall =
  /** Result: the connection's socket. */
  | { readonly call: 'accept'; readonly listener: Socket; readonly nonblocking?: true }
  /** Result: how many bytes came, 0 at the end of the connection. */
  | { readonly call: 'recv'; readonly peer: Peer; readonly into: Uint8Array; readonly nonblocking?: true }
  /** Result: how many bytes went, at least 1. */
  | { readonly call: 'send'; readonly peer: Peer; readonly from: Uint8Array; readonly nonblocking?: true }
  /** Blocks until a socket of the set is ready or the time is over (`Infinity`: no end). Result: how many; the set knows which. */
  | { readonly call: 'poll'; readonly set: PollSet; readonly timeoutNs: number }
  /** Ends a connection the calling thread owns. `error`: why, where it was not by the client's good-bye. Result: 0. */
  | { readonly call: 'close'; readonly socket: Socket; readonly error: string | null }
  /** Starts the server's `connection` in a new thread, which owns the socket from then on. Result: 0. */
  | { readonly call: 'startThread'; readonly socket: Socket }
  /** CPU work of a native library, which needs no lock. Result: 0. */
  | { readonly call: 'toolkit'; readonly durationNs: number }
  /** Result: 0. */
  | { readonly call: 'sleep'; readonly durationNs: number }
  /** Passes messages from each socket to the other until their context is shut down. Result: 0. */
  | { readonly call: 'zmqProxy'; readonly frontend: ZmqSocket; readonly backend: ZmqSocket }
  /** Result: how many frames went, 0 once the socket is closed. */
  | { readonly call: 'zmqSend'; readonly socket: MessageSocket; readonly frames: Uint8Array[] };

/** A message socket, as zeromq.js has them. */
export interface MessageSocket {
  readonly closed: boolean;
  /** The frames of the next message. At most one call at a time may be waiting. */
  receive(): Promise<Uint8Array[]>;
  /** Passes the message on, or drops it, before it returns. */
  send(frames: Uint8Array[]): void;
  /** Sends to nobody: warms the way of a send, see {@link goTheWay} in net/posix.ts. */
  goTheWay(): void;
}

/** The call of a thread that waits in its event loop, not in the kernel. */
export type AsynchronousCall =
  /** Result: how many frames came, 0 once the socket is closed; they replace those in `into`. */
  { readonly call: 'zmqReceive'; readonly socket: MessageSocket; readonly into: Uint8Array[] };

type CallName = (SystemCall | AsynchronousCall)['call'];

/** What a recording calls each of them, from 1. */
export const CALL_NUMBER: Readonly<Record<CallName, number>> = {
  accept: 1,
  recv: 2,
  send: 3,
  poll: 4,
  close: 5,
  startThread: 6,
  toolkit: 7,
  sleep: 8,
  zmqProxy: 9,
  zmqReceive: 10,
  zmqSend: 11,
};

/** Number → name. The first stands for a call that has none. */
export const CALL_NAMES: readonly string[] = ['call', ...Object.keys(CALL_NUMBER)];

/** A server's thread. */
export type ServerTask<Result = void> = Generator<SystemCall, Result, number>;

/** A server's thread that makes asynchronous calls too. */
export type AsynchronousTask<Result = void> = Generator<SystemCall | AsynchronousCall, Result, number>;

export function* accept(listener: Socket): ServerTask<Socket> {
  return yield { call: 'accept', listener };
}

export function* poll(set: PollSet, timeoutNs: number): ServerTask<number> {
  return yield { call: 'poll', set, timeoutNs };
}

export function* close(socket: Socket, error: string | null): ServerTask {
  yield { call: 'close', socket, error };
}

export function* startThread(socket: Socket): ServerTask {
  yield { call: 'startThread', socket };
}

export function* toolkit(durationNs: number): ServerTask {
  yield { call: 'toolkit', durationNs };
}

export function* sleep(durationNs: number): ServerTask {
  yield { call: 'sleep', durationNs };
}

export function* zmqProxy(frontend: ZmqSocket, backend: ZmqSocket): ServerTask {
  yield { call: 'zmqProxy', frontend, backend };
}

export function* zmqReceive(socket: MessageSocket, into: Uint8Array[]): AsynchronousTask<number> {
  return yield { call: 'zmqReceive', socket, into };
}

export function* zmqSend(socket: MessageSocket, frames: Uint8Array[]): ServerTask<number> {
  return yield { call: 'zmqSend', socket, frames };
}

/**
 * Receives the first part of a message.
 *
 * @returns false if the client has said good-bye instead: it ended the connection between two messages
 * @throws ProtocolError if the connection ends inside the header
 */
export function* recvHeader(peer: Peer, into: Uint8Array): ServerTask<boolean> {
  const first = yield { call: 'recv', peer, into };
  if (first === 0) return false;
  peer.leftNs = peer.timeoutNs;
  if (first < into.length) {
    const have = yield* recvExactly(peer, into, first);
    if (have < into.length) throw cutOff(have, into.length);
  }
  return true;
}

/**
 * Receives a further part of a message.
 *
 * @throws ProtocolError if the connection ends before it is whole
 */
export function* recvPart(peer: Peer, into: Uint8Array): ServerTask {
  const have = yield* recvExactly(peer, into, 0);
  if (have < into.length) throw cutOff(have, into.length);
}

function cutOff(haveBytes: number, wantedBytes: number): ProtocolError {
  return new ProtocolError(`the connection ended inside a message, after ${haveBytes} of ${wantedBytes} bytes`);
}

/**
 * Receives until the buffer is full, in as many calls as it takes; fewer bytes only at the end of the connection.
 *
 * @param have how many bytes are in it
 * @returns how many are then
 */
function* recvExactly(peer: Peer, into: Uint8Array, have: number): ServerTask<number> {
  while (have < into.length) {
    const got = yield { call: 'recv', peer, into: have === 0 ? into : into.subarray(have) };
    if (got === 0) break;
    have += got;
  }
  return have;
}

/** Sends all of it, in as many calls as it takes: Python's `sendall`. The peer may rest after it. */
export function* sendAll(peer: Peer, from: Uint8Array): ServerTask {
  peer.leftNs = peer.timeoutNs;
  let sent = 0;
  while (sent < from.length) {
    sent += yield { call: 'send', peer, from: sent === 0 ? from : from.subarray(sent) };
  }
  peer.leftNs = Infinity;
}
