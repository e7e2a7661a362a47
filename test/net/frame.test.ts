import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeFrame, HEADER_BYTES, ProtocolError, payloadLength } from '../../net/frame.ts';

it('is four bytes of big-endian length, then the payload', () => {
  expect([...encodeFrame(Buffer.from('abc'))]).toEqual([0, 0, 0, 3, 0x61, 0x62, 0x63]);
});

it('gives back the length and the bytes of any payload', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), (payload) => {
      const frame = encodeFrame(payload);
      const payloadBytes = payloadLength(frame, payload.length);
      expect(payloadBytes).toBe(payload.length);
      expect(Buffer.compare(frame.subarray(HEADER_BYTES, HEADER_BYTES + payloadBytes), payload)).toBe(0);
    }),
  );
});

it('refuses a length above the bound, whatever its bytes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      (announced, max) => {
        const header = Buffer.alloc(HEADER_BYTES);
        header.writeUInt32BE(announced);
        if (announced <= max) expect(payloadLength(header, max)).toBe(announced);
        else expect(() => payloadLength(header, max)).toThrow(ProtocolError);
      },
    ),
  );
});
