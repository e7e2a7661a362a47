/** Whole buffers over a blocking stream socket. */
import { ProtocolError } from '../net/frame.ts';
import { recv, type Socket, send } from '../net/posix.ts';
import { RESET_CODES } from '../net/reset.ts';
import { SystemError } from '../net/system-error.ts';

/** @throws ProtocolError if the server has ended the connection */
export function sendAll(socket: Socket, from: Uint8Array): void {
  let sent = 0;
  try {
    while (sent < from.length) sent += send(socket, sent === 0 ? from : from.subarray(sent));
  } catch (error) {
    throw asEnd(error);
  }
}

/** @throws ProtocolError if the server ends the connection before the buffer is full */
export function recvExactly(socket: Socket, into: Uint8Array): void {
  let have = 0;
  try {
    while (have < into.length) {
      const got = recv(socket, have === 0 ? into : into.subarray(have));
      if (got === 0) throw new ProtocolError(`the server ended the connection after ${have} of ${into.length} bytes`);
      have += got;
    }
  } catch (error) {
    throw asEnd(error);
  }
}

/** A server that is gone is told of in the same words whichever call met it first. */
function asEnd(error: unknown): unknown {
  if (!(error instanceof SystemError && RESET_CODES.has(error.code))) return error;
  return new ProtocolError(`the server ended the connection: ${error.message}`, { cause: error });
}
