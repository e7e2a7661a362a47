/**
 * The client at the other end of a connection, and how long the server still waits for it.
 *
 * Between two messages a client may rest as long as it likes. One that has not sent its first byte, is in the middle of a message, or
 * does not take its echo, has a time-out: else a few bytes would hold a thread, a descriptor and a message's memory for ever (a
 * slow loris). What counts is all the waiting of a message together, so that a byte now and then buys no time; and only the waiting
 * for the peer, so that a server that starves at its lock does not blame its clients. Whoever performs the calls takes it off.
 */
import { ProtocolError } from '../net/frame.ts';
import type { Socket } from '../net/posix.ts';

export interface Peer {
  readonly socket: Socket;
  /** How long the server waits for it before its first byte, for a message to be whole, and for an echo to be taken. */
  readonly timeoutNs: number;
  /** What is left of that; `Infinity` between two messages. */
  leftNs: number;
}

/** A client that has just connected. */
export function newPeer(socket: Socket, timeoutNs: number): Peer {
  return { socket, timeoutNs, leftNs: timeoutNs };
}

/** Why a connection ends when nothing is left. */
export function tooLate({ timeoutNs }: Peer): ProtocolError {
  return new ProtocolError(`the client kept the server waiting for ${timeoutNs / 1e9} s`);
}
