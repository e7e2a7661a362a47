/** One connection of size-prefixed frames: what its thread does in the blocking server, its coroutine in the nonblocking one. */
import { HEADER_BYTES, payloadLength } from '../net/frame.ts';
import type { Socket } from '../net/posix.ts';
import { recvHeader, recvPart, type ServerTask, sendAll } from './calls.ts';
import type { ServerLimits } from './echo-server.ts';

/** Sends every frame back, until the client says good-bye. */
export function* echoFrames(socket: Socket, { maxMessageBytes }: ServerLimits): ServerTask {
  let frame = Buffer.alloc(HEADER_BYTES);
  let header = frame;
  let body = frame.subarray(HEADER_BYTES);
  while (yield* recvHeader(socket, header)) {
    const payloadBytes = payloadLength(header, maxMessageBytes);
    if (payloadBytes !== body.length) {
      frame = Buffer.alloc(HEADER_BYTES + payloadBytes);
      frame.set(header);
      header = frame.subarray(0, HEADER_BYTES);
      body = frame.subarray(HEADER_BYTES);
    }
    yield* recvPart(socket, body);
    yield* sendAll(socket, frame);
  }
}
