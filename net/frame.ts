/**
 * Size-prefixed frames, the talk's message: 4 bytes of payload length, unsigned, big-endian, then the payload.
 */

/** Bytes before the payload. */
export const HEADER_BYTES = 4;

/** A peer that does not keep to the protocol. The connection cannot be used any further. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/**
 * A whole frame.
 *
 * @param payload less than 2^32 bytes
 */
export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Reads a header, before anything is allocated for what it announces.
 *
 * @param header starts with the 4 bytes
 * @param maxPayloadBytes the largest payload accepted
 * @returns the length of the payload in bytes
 * @throws ProtocolError if it is longer than that
 */
export function payloadLength(header: Buffer, maxPayloadBytes: number): number {
  const payloadBytes = header.readUInt32BE(0);
  if (payloadBytes > maxPayloadBytes) {
    throw new ProtocolError(`a frame announces ${payloadBytes} bytes, more than the ${maxPayloadBytes} allowed`);
  }
  return payloadBytes;
}
