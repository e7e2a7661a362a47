/** Whole buffers over a blocking stream socket. */
import { ProtocolError } from '../net/frame.ts';
import { recv, type Socket, send } from '../net/posix.ts';

export function sendAll(socket: Socket, from: Uint8Array): void {
  let sent = 0;
  while (sent < from.length) sent += send(socket, sent === 0 ? from : from.subarray(sent));
}

/** @throws ProtocolError if the connection ends before the buffer is full */
export function recvExactly(socket: Socket, into: Uint8Array): void {
  let have = 0;
  while (have < into.length) {
    const got = recv(socket, have === 0 ? into : into.subarray(have));
    if (got === 0) throw new ProtocolError(`the server ended the connection after ${have} of ${into.length} bytes`);
    have += got;
  }
}
