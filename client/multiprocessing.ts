/**
 * Messages of Python's `multiprocessing.connection` over blocking TCP. The payload is an object to this transport: encoded for each
 * message and decoded from each echo, with MessagePack where Python pickles. Both are part of the round trip, as they are in
 * `Connection.send` and `Connection.recv`.
 */
import { pack, unpack } from 'msgpackr';
import { ProtocolError } from '../net/frame.ts';
import { bodyLength, HEADER_BYTES, layOutMessage } from '../net/multiprocessing-format.ts';
import { close, connect, shutdown } from '../net/posix.ts';
import type { EchoClient } from './echo-client.ts';
import { recvExactly, sendAll } from './stream.ts';

const multiprocessing: EchoClient = {
  connect(to, payloadBytes) {
    const socket = connect(to);
    const payload = Buffer.alloc(payloadBytes);
    // The encoding of so many bytes is always as long.
    const message = layOutMessage(pack(payload).length);
    const header = Buffer.alloc(HEADER_BYTES);
    const echoedBody = Buffer.alloc(message.body.length);
    let echoed: Uint8Array = payload.subarray(0, 0);
    return {
      payload,
      exchange() {
        message.body.set(pack(payload));
        for (const bytes of message.writes) sendAll(socket, bytes);
        recvExactly(socket, header);
        const echoedBytes = bodyLength(header, echoedBody.length);
        if (echoedBytes !== echoedBody.length) {
          throw new ProtocolError(`the echo of ${echoedBody.length} bytes announces ${echoedBytes}`);
        }
        recvExactly(socket, echoedBody);
        echoed = decodePayload(echoedBody);
      },
      echo: () => echoed,
      handle: socket,
      close: () => close(socket),
    };
  },
  interrupt: shutdown,
};

/** @throws ProtocolError if the body is not the encoding of bytes */
export function decodePayload(body: Uint8Array): Uint8Array {
  let value: unknown;
  try {
    value = unpack(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ProtocolError(`the payload is no MessagePack: ${why}`, { cause: error });
  }
  if (value instanceof Uint8Array) return value;
  throw new ProtocolError('the payload is MessagePack, but not of bytes');
}

export default multiprocessing;
