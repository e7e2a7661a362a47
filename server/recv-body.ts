/**
 * The body of a message, received into memory that grows with the bytes that have come: a peer that announces as much as is allowed
 * and sends nothing has cost one small buffer.
 */
import { recvPart, type ServerTask } from './calls.ts';
import type { Peer } from './peer.ts';

/** Allocated as soon as it is announced. */
const AT_ONCE_BYTES = 1024 * 1024;

/**
 * @param headBytes room to leave before the body
 * @param bodyBytes what the peer has announced, checked against the server's limit
 * @returns memory of exactly both lengths
 * @throws ProtocolError if the connection ends before the body is whole, or the peer's time does
 */
export function* recvBody(peer: Peer, headBytes: number, bodyBytes: number): ServerTask<Buffer<ArrayBuffer>> {
  const wholeBytes = headBytes + bodyBytes;
  let memory = Buffer.alloc(Math.min(wholeBytes, AT_ONCE_BYTES));
  yield* recvPart(peer, memory.subarray(headBytes));
  while (memory.length < wholeBytes) {
    const full = memory;
    memory = Buffer.alloc(Math.min(wholeBytes, 2 * full.length));
    memory.set(full);
    yield* recvPart(peer, memory.subarray(full.length));
  }
  return memory;
}
