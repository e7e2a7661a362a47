/** Size-prefixed frames over blocking TCP. */
import { encodeFrame, HEADER_BYTES, ProtocolError } from '../net/frame.ts';
import { close, connect, recv, type Socket, send, shutdown } from '../net/posix.ts';
import type { EchoClient } from './echo-client.ts';

function sendAll(socket: Socket, from: Uint8Array): void {
  let sent = send(socket, from);
  while (sent < from.length) sent += send(socket, from.subarray(sent));
}

function recvExactly(socket: Socket, into: Uint8Array): void {
  let have = 0;
  while (have < into.length) {
    const got = recv(socket, have === 0 ? into : into.subarray(have));
    if (got === 0) throw new ProtocolError(`the server ended the connection after ${have} of ${into.length} bytes`);
    have += got;
  }
}

const framed: EchoClient = {
  connect(to, payloadBytes) {
    const socket = connect(to);
    const sent = encodeFrame(new Uint8Array(payloadBytes));
    const header = Buffer.alloc(HEADER_BYTES);
    const echoed = Buffer.alloc(payloadBytes);
    return {
      payload: sent.subarray(HEADER_BYTES),
      exchange() {
        sendAll(socket, sent);
        recvExactly(socket, header);
        const echoedBytes = header.readUInt32BE(0);
        if (echoedBytes !== payloadBytes) {
          throw new ProtocolError(`the echo of ${payloadBytes} bytes announces ${echoedBytes}`);
        }
        recvExactly(socket, echoed);
      },
      echo: () => echoed,
      handle: socket,
      close: () => close(socket),
    };
  },
  interrupt: shutdown,
};

export default framed;
