/** One connection of size-prefixed frames: what its thread does in the blocking server, its coroutine in the nonblocking one. */
import { HEADER_BYTES, payloadLength } from '../net/frame.ts';
import { recvHeader, recvPart, type ServerTask, sendAll } from './calls.ts';
import type { ServerLimits } from './echo-server.ts';
import type { Peer } from './peer.ts';
import { recvBody } from './recv-body.ts';

/** Sends every frame back, until the client says good-bye. */
export function* echoFrames(peer: Peer, { maxMessageBytes }: ServerLimits): ServerTask {
  let frame = Buffer.alloc(HEADER_BYTES);
  let header = frame;
  let body = frame.subarray(HEADER_BYTES);
  while (yield* recvHeader(peer, header)) {
    const payloadBytes = payloadLength(header, maxMessageBytes);
    if (payloadBytes === body.length) {
      yield* recvPart(peer, body);
    } else {
      frame = yield* recvBody(peer, HEADER_BYTES, payloadBytes);
      frame.set(header);
      header = frame.subarray(0, HEADER_BYTES);
      body = frame.subarray(HEADER_BYTES);
    }
    yield* sendAll(peer, frame);
  }
}
