/** Size-prefixed frames over blocking TCP. */
import { encodeFrame, HEADER_BYTES, ProtocolError } from '../net/frame.ts';
import { close, connect, shutdown } from '../net/posix.ts';
import type { EchoClient } from './echo-client.ts';
import { recvExactly, sendAll } from './stream.ts';

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
