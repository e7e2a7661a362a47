import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../net/frame.ts';
import {
  bodyLength,
  encodeHeader,
  HEADER_BYTES,
  layOutMessage,
  longBodyLength,
  ONE_WRITE_BYTES,
} from '../../net/multiprocessing-format.ts';

/** As a receiver reads it. */
function lengthIn(header: Buffer, maxBodyBytes: number): number {
  const length = bodyLength(header, maxBodyBytes);
  return length === 'long' ? longBodyLength(header.subarray(HEADER_BYTES), maxBodyBytes) : length;
}

const lengths = fc.oneof(fc.nat(), fc.maxSafeNat());

describe('a header', () => {
  it('says the length it was made for', () => {
    fc.assert(fc.property(lengths, (bodyBytes) => lengthIn(encodeHeader(bodyBytes), bodyBytes) === bodyBytes));
  });

  it.each([
    [0, '00000000'],
    [16_384, '00004000'],
    [0x7fff_ffff, '7fffffff'],
    [0x8000_0000, 'ffffffff0000000080000000'],
    [2 ** 40, 'ffffffff0000010000000000'],
  ])('of %d bytes is what Python packs', (bodyBytes, hex) => {
    expect(encodeHeader(bodyBytes).toString('hex')).toBe(hex);
  });

  it('is refused when it announces more than allowed', () => {
    fc.assert(
      fc.property(lengths, lengths, (a, b) => {
        fc.pre(a !== b);
        expect(() => lengthIn(encodeHeader(Math.max(a, b)), Math.min(a, b))).toThrow(ProtocolError);
      }),
    );
  });

  it('of any bytes is a length that is allowed, or refused', () => {
    const bytes = fc.uint8Array({ minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((some) => some.fill(0xff, 0, 4)),
        ),
        fc.nat(),
        (header, maxBodyBytes) => {
          try {
            const length = lengthIn(Buffer.from(header), maxBodyBytes);
            expect(length).toSatisfy((bytes: number) => Number.isInteger(bytes) && bytes >= 0 && bytes <= maxBodyBytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
    );
  });

  it('is refused when it announces a negative length other than the mark of a long one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: -2 }), (length) => {
        const header = Buffer.alloc(HEADER_BYTES);
        header.writeInt32BE(length);
        expect(() => bodyLength(header, Number.MAX_SAFE_INTEGER)).toThrow(`the length ${length}`);
      }),
    );
  });
});

describe('a message', () => {
  it('is its header and its body, one after the other', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (body) => {
        const message = layOutMessage(body.length);
        message.body.set(body);
        expect(Buffer.concat(message.writes)).toEqual(Buffer.concat([encodeHeader(body.length), body]));
      }),
    );
  });

  it('is written at once up to 16 KiB, in two pieces above', () => {
    fc.assert(
      fc.property(fc.integer({ min: ONE_WRITE_BYTES - 50, max: ONE_WRITE_BYTES + 50 }), (bodyBytes) => {
        const lengths = layOutMessage(bodyBytes).writes.map((bytes) => bytes.length);
        expect(lengths).toEqual(bodyBytes <= 16_384 ? [HEADER_BYTES + bodyBytes] : [HEADER_BYTES, bodyBytes]);
      }),
    );
  });
});
