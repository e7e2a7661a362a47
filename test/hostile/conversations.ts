/** What well-behaved clients send, for each wire format: whole conversations, piece by piece, for hostile ones to be made of. */
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { CONTROL_VERSION, NONCE_BYTES, PROOF_BYTES } from '../../bench/remote/token.ts';
import { encodeFrame } from '../../net/frame.ts';
import { encodeHeader } from '../../net/multiprocessing-format.ts';
import packageJson from '../../package.json' with { type: 'json' };

const MOST_MESSAGES = 4;
const payload = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 300, size: 'max' }) },
  { weight: 1, arbitrary: fc.nat({ max: 20_000 }).map((bytes) => new Uint8Array(bytes)) },
);

const several = (message: fc.Arbitrary<Uint8Array>, most = MOST_MESSAGES): fc.Arbitrary<Uint8Array[]> =>
  fc.array(message, { minLength: 1, maxLength: most });

const framed = several(payload.map((bytes) => encodeFrame(bytes)));

/**
 * One key stroke: each keeps the editor busy for a millisecond. Long ones are not of zeros, which are thousands of empty keys when they are
 * cut at the wrong place: an input in a hundred would take all the time of a storm.
 */
const key = several(
  payload.map((bytes) => encodeFrame(bytes.map((byte) => byte || 0xff))),
  1,
);

/** With the long form of the length too, which Python writes above 2^31 bytes only and reads for any. */
const multiprocessing = several(
  fc.tuple(payload, fc.boolean()).map(([bytes, long]) => {
    if (!long) return Buffer.concat([encodeHeader(bytes.length), bytes]);
    const header = Buffer.alloc(12);
    header.writeInt32BE(-1, 0);
    header.writeBigUInt64BE(BigInt(bytes.length), 4);
    return Buffer.concat([header, bytes]);
  }),
);

/** ZMTP, https://rfc.zeromq.org/spec/23 and 37: a frame's flags. */
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const SIGNATURE = Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f]);

function zmtpFrame(flags: number, body: Uint8Array, long = body.length > 255): Buffer {
  const header = Buffer.alloc(long ? 9 : 2);
  header[0] = flags | (long ? LONG : 0);
  if (long) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

function zmtpCommand(name: string, data: Uint8Array): Buffer {
  return zmtpFrame(COMMAND, Buffer.concat([Buffer.from([name.length]), Buffer.from(name), data]));
}

function property(name: string, value: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, value]);
}

const greeting = fc
  .tuple(fc.constantFrom(0, 1), fc.constantFrom('NULL', 'NULL', 'NULL', 'PLAIN', 'CURVE'))
  .map(([minor, mechanism]) =>
    Buffer.concat([SIGNATURE, Buffer.from([3, minor]), Buffer.from(mechanism.padEnd(20, '\0')), Buffer.alloc(32)]),
  );

const ready = fc
  .tuple(fc.constantFrom('DEALER', 'DEALER', 'REQ', 'ROUTER', 'PUB'), fc.uint8Array({ maxLength: 40 }), payload)
  .map(([type, identity, more]) =>
    zmtpCommand(
      'READY',
      Buffer.concat([
        property('Socket-Type', Buffer.from(type)),
        property('Identity', identity),
        ...(more.length % 4 === 0 ? [property('X-More', more)] : []),
      ]),
    ),
  );

const zmtpMessage = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(payload, fc.boolean()).map(([body, long]) => zmtpFrame(0, body, long || undefined)),
  },
  { weight: 3, arbitrary: payload.map((body) => zmtpFrame(MORE, body)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('PING', 'PONG', 'SUBSCRIBE', 'CANCEL', 'ERROR', 'READY', ''),
        fc.uint8Array({ maxLength: 30 }),
      )
      .map(([name, data]) => zmtpCommand(name, data)),
  },
);

/** What came before ZMTP 3: a greeting of its own with a socket's type, or none, and then at once frames. */
const older = fc
  .tuple(
    fc.constantFrom([], [...SIGNATURE, 0, 5], [...SIGNATURE, 1, 5]),
    several(payload.map((body) => zmtpFrame(0, body))),
  )
  .map(([start, frames]) => [Buffer.from(start), ...frames]);

const zmtp: fc.Arbitrary<Uint8Array[]> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(greeting, ready, several(zmtpMessage))
      .map(([first, second, frames]) => [first, second, ...frames]),
  },
  { weight: 1, arbitrary: older },
);

const packr = new Packr({ useRecords: false, variableMapSize: true });
const packed = (message: unknown) => encodeFrame(packr.pack(message));
const exactly = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes });

/** Of a controller that has not the token: its hello, a proof, and calls, or whatever else MessagePack can say. */
const control = fc
  .tuple(
    fc.record({ nonce: exactly(NONCE_BYTES), convoy: fc.constantFrom(packageJson.version, '0') }),
    exactly(PROOF_BYTES),
    fc.array(fc.oneof(fc.jsonValue(), fc.record({ id: fc.nat(), command: fc.string(), request: fc.jsonValue() })), {
      maxLength: MOST_MESSAGES,
    }),
  )
  .map(([hello, proof, more]) => [
    packed({ kind: 'hello', control: CONTROL_VERSION, ...hello }),
    packed({ kind: 'proof', proof: Buffer.from(proof) }),
    ...more.map(packed),
  ]);

/** Of a browser that was given no address, or of a page that wants the WebSocket. */
const http = several(
  fc
    .tuple(
      fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS'),
      fc.constantFrom('/', '/socket', `/${'0'.repeat(32)}/`, `/${'0'.repeat(32)}/socket`),
      fc.boolean(),
      payload,
    )
    .map(([method, path, upgrade, body]) => {
      const webSocket = [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Origin: http://127.0.0.1',
      ];
      const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Content-Length: ${body.length}`];
      return Buffer.concat([Buffer.from([...lines, ...(upgrade ? webSocket : []), '', ''].join('\r\n')), body]);
    }),
);

/** By the name of the wire format; `key` is framed too. */
export const CONVERSATIONS = { framed, multiprocessing, zmtp, key, control, http } as const;
