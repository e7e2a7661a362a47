/**
 * The messages of Python's `multiprocessing.connection.Connection`: the length of the body, then the body. The length is 4 bytes,
 * signed, big-endian. A body longer than they can say has -1 there, and its length in 8 bytes more, unsigned, big-endian.
 *
 * A header and a body of at most 16 KiB leave in one write, so that Nagle's algorithm does not hold the second back; a larger body
 * is written by itself, to spare copying it (bpo-20540). On the wire it is all the same; on a lock it is one call more.
 *
 * Source: CPython 3.11, Lib/multiprocessing/connection.py, `_send_bytes` and `_recv_bytes`. Versions before 3.8 read and write the
 * same, up to the length of 2^31 - 1.
 */
import { ProtocolError } from './frame.ts';

/** Bytes before the body, or before the long length. */
export const HEADER_BYTES = 4;
/** Bytes of a long length. */
export const LONG_LENGTH_BYTES = 8;
/** The longest body that leaves in one write with its header. */
export const ONE_WRITE_BYTES = 16_384;
/** What encoding adds to a payload of bytes, at most: the header of MessagePack's `bin 32`. */
export const ENCODING_BYTES = 5;

const MAX_SHORT_LENGTH = 0x7fff_ffff;
/** In the place of the length: the long length follows. */
const LONG = -1;

/** A message laid out in memory, its header filled in. */
export interface Message {
  /** For the sender, or the receiver, to fill. */
  readonly body: Buffer;
  /** The whole message, in the pieces in which it is written. */
  readonly writes: readonly Buffer[];
}

/** @param bodyBytes at most `buffer.constants.MAX_LENGTH` with the header */
export function layOutMessage(bodyBytes: number): Message {
  const header = encodeHeader(bodyBytes);
  return messageIn(Buffer.alloc(header.length + bodyBytes), header);
}

/**
 * The same in memory that is there.
 *
 * @param memory of the length of the header and the body together
 */
export function messageIn(memory: Buffer, header: Buffer): Message {
  memory.set(header);
  const body = memory.subarray(header.length);
  return { body, writes: body.length <= ONE_WRITE_BYTES ? [memory] : [memory.subarray(0, header.length), body] };
}

/** The header of a body of so many bytes, with the long length if it needs one. */
export function encodeHeader(bodyBytes: number): Buffer {
  const isLong = bodyBytes > MAX_SHORT_LENGTH;
  const header = Buffer.alloc(isLong ? HEADER_BYTES + LONG_LENGTH_BYTES : HEADER_BYTES);
  header.writeInt32BE(isLong ? LONG : bodyBytes, 0);
  if (isLong) header.writeBigUInt64BE(BigInt(bodyBytes), HEADER_BYTES);
  return header;
}

/**
 * Reads a header, before anything is allocated for what it announces.
 *
 * @param header starts with the 4 bytes
 * @param maxBodyBytes the longest body accepted
 * @returns the length of the body, or `long` if it is in the 8 bytes that follow
 * @throws ProtocolError if it is longer than that, or negative
 */
export function bodyLength(header: Buffer, maxBodyBytes: number): number | 'long' {
  const bodyBytes = header.readInt32BE(0);
  if (bodyBytes === LONG) return 'long';
  if (bodyBytes < 0) throw new ProtocolError(`a message announces the length ${bodyBytes}`);
  return atMost(bodyBytes, maxBodyBytes);
}

/**
 * Reads a long length, as {@link bodyLength} does.
 *
 * @param length starts with the 8 bytes
 */
export function longBodyLength(length: Buffer, maxBodyBytes: number): number {
  // What a double cannot say exactly is far beyond any limit.
  return atMost(Number(length.readBigUInt64BE(0)), maxBodyBytes);
}

function atMost(bodyBytes: number, maxBodyBytes: number): number {
  if (bodyBytes <= maxBodyBytes) return bodyBytes;
  throw new ProtocolError(`a message announces ${bodyBytes} bytes, more than the ${maxBodyBytes} allowed`);
}
