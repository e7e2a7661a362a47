import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../net/frame.ts';
import { MessageStream } from '../../net/message-stream.ts';

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Two ends of a connection: a socket to write bytes to, and the stream that reads them. */
async function pair(maxBytes: number): Promise<{ raw: Socket; stream: MessageStream }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const raw = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  const socket = await accepted;
  server.close();
  raw.on('error', () => {});
  open.push(raw, socket);
  return { raw, stream: new MessageStream(socket, maxBytes) };
}

const messages = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('call'),
      id: fc.nat(),
      text: fc.string(),
      at: fc.double({ noNaN: true }).map((at) => at + 0),
    }),
    fc.record({ nothing: fc.constant(null), yes: fc.boolean(), list: fc.array(fc.integer()) }),
    fc.uint8Array({ maxLength: 5_000 }).map((bytes) => ({ bytes: Buffer.from(bytes) })),
  ),
  { minLength: 1, maxLength: 8 },
);

describe('a stream of messages', () => {
  it('delivers each message whole and in order, wherever the network cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), async (sent, cuts) => {
        const { raw, stream } = await pair(16_384);
        const { raw: written, stream: writer } = await pair(16_384);
        const bytes: Buffer[] = [];
        written.on('data', (chunk: Buffer) => bytes.push(chunk));
        for (const message of sent) writer.send(message);
        writer.close();
        await writer.closed;
        await new Promise((resolve) => written.once('close', resolve));

        const heard: unknown[] = [];
        const all = new Promise<void>((resolve) => {
          stream.onMessage((message) => {
            heard.push(message);
            if (heard.length === sent.length) resolve();
          });
        });
        const whole = Buffer.concat(bytes);
        for (let from = 0, cut = 0; from < whole.length; cut++) {
          const length = cuts[cut % cuts.length] as number;
          raw.write(whole.subarray(from, from + length));
          from += length;
          if (cut < 5) await delay(0);
        }
        await all;
        expect(heard).toEqual(sent);
        raw.destroy();
      }),
      { numRuns: 40 },
    );
  });

  it('is read by any reader of MessagePack: nothing in it is an extension', async () => {
    const { raw, stream } = await pair(1_024);
    const said = new Promise<Buffer>((resolve) => raw.once('data', resolve));
    stream.send({ there: 1, absent: undefined, bytes: new Uint8Array(2) });
    const { there, bytes } = { there: 'a57468657265 01', bytes: 'a56279746573 c4020000' };
    expect((await said).toString('hex')).toBe(`00000012 82 ${there} ${bytes}`.replaceAll(' ', ''));
  });

  it('refuses a frame that announces more than is allowed, before any of it has come', async () => {
    const { raw, stream } = await pair(1_024);
    stream.onMessage(() => {});
    raw.write(Buffer.from([0, 0, 4, 1]));
    expect(await stream.closed).toBe('a frame announces 1025 bytes, more than the 1024 allowed');
  });

  it('refuses what a browser says', async () => {
    const { raw, stream } = await pair(1_024);
    stream.onMessage(() => {});
    raw.write('GET / HTTP/1.1\r\n\r\n');
    expect(await stream.closed).toMatch(/a frame announces 1195725856 bytes/);
  });

  it('ends with any frame that is no message, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (payload) => {
        const { raw, stream } = await pair(1_024);
        const heard = stream.next().then(
          () => 'a message',
          () => 'no message',
        );
        raw.end(encodeFrame(payload));
        expect(['a message', 'no message']).toContain(await heard);
        await stream.closed;
      }),
      { numRuns: 100 },
    );
  });

  it('reads nothing that nobody asks for', async () => {
    const { raw, stream } = await pair(1_024);
    const { raw: other, stream: writer } = await pair(1_024);
    other.pipe(raw);
    for (let id = 0; id < 3; id++) writer.send({ id });
    expect(await stream.next()).toEqual({ id: 0 });
    await delay(20);
    expect(await stream.next()).toEqual({ id: 1 });
    expect(await stream.next()).toEqual({ id: 2 });
    raw.destroy();
    await expect(stream.next()).rejects.toThrow('ended the connection');
  });

  it('says that a peer ended it also of one that had not read all: its end is a reset then', async () => {
    const { raw, stream } = await pair(1_024);
    raw.resetAndDestroy();
    expect(await stream.closed).toBe('ended the connection: read ECONNRESET');
  });

  it('says what the listener threw', async () => {
    const { raw, stream } = await pair(1_024);
    stream.onMessage(() => {
      throw new Error('nothing of the kind');
    });
    raw.write(encodeFrame(Buffer.from([0x80])));
    expect(await stream.closed).toBe('not a message: nothing of the kind');
  });
});
