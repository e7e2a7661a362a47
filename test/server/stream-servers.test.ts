/** The servers over TCP, run as the bench runs them. Up to 2^31 bytes their two wire formats are the same. */
import { describe, expect, it, vi } from 'vitest';
import { encodeFrame } from '../../net/frame.ts';
import { ENCODING_BYTES } from '../../net/multiprocessing-format.ts';
import { loadServer } from '../../server/servers.ts';
import { settled, sharedServer, startServer } from '../processes.ts';
import { RawClient } from './raw-client.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** 251 is a prime: an echo shifted by any power of two differs. */
const PATTERN = Uint8Array.from({ length: 251 }, (_, i) => i);

function frameOf(payloadBytes: number, message = 0): Buffer {
  return encodeFrame(
    Buffer.alloc(
      payloadBytes,
      PATTERN.map((byte) => byte + message),
    ),
  );
}

function headerOf(announcedBytes: number): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(announcedBytes);
  return header;
}

async function expectServed(client: RawClient, payloadBytes = 100): Promise<void> {
  const frame = frameOf(payloadBytes);
  expect((await client.exchange(frame)).equals(frame)).toBe(true);
}

describe.each(['multiprocessing', 'blocking', 'nonblocking'])('%s', (name) => {
  const shared = sharedServer(name);

  it('sends every payload back byte for byte', async () => {
    const server = await startServer(name);
    const client = await RawClient.connect(server.port);
    for (const payloadBytes of [0, 1, 8 * KIB, 16 * KIB, 16 * KIB + 1, MIB + 3, 0, 8 * MIB, 1]) {
      await expectServed(client, payloadBytes);
    }
    client.end();
    await client.ended();
    expect(await server.stop()).toEqual([]);
  });

  it('answers messages that come all at once, in their order', async () => {
    const server = shared();
    const client = await RawClient.connect(server.port);
    const frames = Buffer.concat(Array.from({ length: 200 }, (_, i) => frameOf(i * 7, i)));
    expect((await client.exchange(frames)).equals(frames)).toBe(true);
  });

  it('serves many clients at once', async () => {
    const server = shared();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(server.port)));
    for (let message = 0; message < 5; message++) {
      const frames = clients.map((_, i) => frameOf(8 * KIB, i));
      const echoes = await Promise.all(clients.map((client, i) => client.exchange(frames[i] as Buffer)));
      expect(echoes.every((echo, i) => echo.equals(frames[i] as Buffer))).toBe(true);
    }
  });

  it('gives up the lock as often for a message as it declares', async () => {
    const { transitionsPerMessage } = await loadServer(name);
    const server = shared();
    const client = await RawClient.connect(server.port);
    await expectServed(client);
    await server.begin();
    for (let message = 1; message <= 20; message++) {
      await client.exchange(frameOf(8 * KIB, message));
      // The echo is there before the server has come back from its last call.
      await vi.waitFor(async () => expect(await server.transitions()).toBe(message * transitionsPerMessage), 10_000);
    }
    expect(await settled(server.transitions)).toBe(20 * transitionsPerMessage);
  });

  it('refuses a message longer than allowed, before it comes, and ends that connection only', async () => {
    const server = await startServer(name, { maxMessageBytes: 1000 });
    const allowedBytes = name === 'multiprocessing' ? 1000 + ENCODING_BYTES : 1000;
    const decent = await RawClient.connect(server.port);
    await expectServed(decent, allowedBytes);
    for (const announcedBytes of [allowedBytes + 1, 0x7fff_ffff]) {
      const greedy = await RawClient.connect(server.port);
      await greedy.write(headerOf(announcedBytes));
      await greedy.ended();
    }
    await expectServed(decent, allowedBytes);
    const refusal = (announcedBytes: number) =>
      expect.stringContaining(`announces ${announcedBytes} bytes, more than the ${allowedBytes} allowed`);
    expect((await server.stop()).sort()).toEqual([refusal(allowedBytes + 1), refusal(0x7fff_ffff)].sort());
  });

  it('notes a connection that ends inside a header or a body, and serves the others on', async () => {
    const server = await startServer(name);
    const decent = await RawClient.connect(server.port);
    for (const cutOff of [headerOf(100).subarray(0, 3), frameOf(100).subarray(0, 50), headerOf(100)]) {
      const client = await RawClient.connect(server.port);
      await client.write(cutOff);
      client.end();
      await client.ended();
      await expectServed(decent);
    }
    expect((await server.stop()).sort()).toEqual([
      expect.stringContaining('ended inside a message, after 0 of 100 bytes'),
      expect.stringContaining('ended inside a message, after 3 of 4 bytes'),
      expect.stringContaining('ended inside a message, after 46 of 100 bytes'),
    ]);
  });

  it('outlives clients that vanish in mid-frame by a reset', async () => {
    const server = await startServer(name);
    const decent = await RawClient.connect(server.port);
    for (const part of [headerOf(8 * KIB), frameOf(8 * KIB).subarray(0, 5000)]) {
      const client = await RawClient.connect(server.port);
      await expectServed(client);
      await client.write(part);
      await expectServed(decent);
      await client.reset();
      await expectServed(decent);
    }
    expect(await server.stop()).toHaveLength(2);
  });

  it('serves others while a client sends byte by byte', async () => {
    const server = shared();
    const [loris, decent] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    const frame = frameOf(40);
    for (const byte of frame) {
      await loris.write(Buffer.of(byte));
      await expectServed(decent, 8 * KIB);
    }
    expect((await loris.read(frame.length)).equals(frame)).toBe(true);
  });

  it('serves others while a client does not read its echoes, and loses none of them', async () => {
    const server = shared();
    const [sluggish, decent] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    // More than all buffers between the two can hold.
    const frames = Array.from({ length: 40 }, (_, i) => frameOf(MIB, i));
    const written = Promise.all(frames.map((frame) => sluggish.write(frame)));
    for (let message = 0; message < 20; message++) await expectServed(decent, 8 * KIB);
    for (const frame of frames) expect((await sluggish.read(frame.length)).equals(frame)).toBe(true);
    await written;
  });

  it('serves others while a client never stops sending', async () => {
    const server = shared();
    const [talkative, decent] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    let talking = true;
    const frames = Buffer.concat(Array.from({ length: 500 }, (_, i) => frameOf(100, i % 5)));
    const talk = async () => {
      while (talking) expect((await talkative.exchange(frames)).equals(frames)).toBe(true);
    };
    const serve = async () => {
      for (let message = 0; message < 20; message++) await expectServed(decent, 8 * KIB);
      talking = false;
    };
    await Promise.all([talk(), serve()]);
  });

  it('ends connections that keep it waiting, and lets those rest that are between two messages', async () => {
    const server = await startServer(name, { peerTimeoutNs: 1e9 });
    // Each does at once what it is to do: one that waits for another to be served is silent meanwhile.
    const connect = () => RawClient.connect(server.port);
    const resting = await connect();
    await expectServed(resting);
    const silent = await connect();
    const midHeader = await connect();
    await midHeader.write(headerOf(100).subarray(0, 2));
    // Whole messages before do not help.
    const midBody = await connect();
    await expectServed(midBody);
    await midBody.write(frameOf(100).subarray(0, 50));
    const trickling = await connect();
    await trickling.write(headerOf(1_000));
    const drops = setInterval(() => void trickling.write(Buffer.of(1)).catch(() => {}), 20);
    const sluggish = await connect();
    const written = Promise.allSettled(Array.from({ length: 40 }, () => sluggish.write(frameOf(MIB))));
    await Promise.all([silent, midHeader, midBody, trickling].map((client) => client.ended()));
    clearInterval(drops);
    // Its writes fail while it still does not read.
    await written;
    await sluggish.ended();
    await expectServed(resting);
    const errors = await server.stop();
    expect(errors).toHaveLength(5);
    expect(new Set(errors)).toEqual(new Set(['the client kept the server waiting for 1 s']));
  });

  it('takes no memory for messages that are announced and not sent', async () => {
    const server = shared();
    const decent = await RawClient.connect(server.port);
    await expectServed(decent);
    const greedy = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(server.port)));
    for (const client of greedy) await expectServed(client);
    const before = server.usage().memoryBytes;
    for (const client of greedy) await client.write(headerOf(64 * MIB));
    await expectServed(decent);
    expect(server.usage().memoryBytes - before).toBeLessThan(8 * 4 * MIB);
  });

  it('ends when it is told to, whatever its connections are doing', async () => {
    const server = await startServer(name);
    const connect = () => RawClient.connect(server.port);
    const [idle, midHeader, midBody, sluggish] = [await connect(), await connect(), await connect(), await connect()];
    await expectServed(idle);
    await midHeader.write(headerOf(100).subarray(0, 2));
    await midBody.write(frameOf(100).subarray(0, 50));
    const written = Promise.allSettled(Array.from({ length: 40 }, () => sluggish.write(frameOf(MIB))));
    await expectServed(idle);
    await server.stop();
    await Promise.all([idle, midHeader, midBody, sluggish].map((client) => client.ended()));
    await written;
  });
});

describe('multiprocessing', () => {
  it('gives up the lock once more for a body above 16 KiB, which is written by itself', async () => {
    const server = await startServer('multiprocessing');
    const client = await RawClient.connect(server.port);
    await expectServed(client);
    await server.begin();
    await expectServed(client, 16 * KIB);
    await vi.waitFor(async () => expect(await server.transitions()).toBe(3), 10_000);
    await expectServed(client, 16 * KIB + 1);
    await vi.waitFor(async () => expect(await server.transitions()).toBe(3 + 4), 10_000);
  });

  it('takes a long length for a short body, and refuses one that is too long', async () => {
    const server = await startServer('multiprocessing');
    const client = await RawClient.connect(server.port);
    const longLength = (bodyBytes: bigint) => {
      const bytes = Buffer.alloc(12);
      bytes.writeInt32BE(-1, 0);
      bytes.writeBigUInt64BE(bodyBytes, 4);
      return bytes;
    };
    await client.write(longLength(5n));
    await client.write(Buffer.from('hello'));
    expect(await client.read(9)).toEqual(encodeFrame(Buffer.from('hello')));
    await client.write(longLength(2n ** 64n - 1n));
    await client.ended();
    expect(await server.stop()).toEqual([expect.stringContaining('allowed')]);
  });

  it('refuses a negative length', async () => {
    const server = await startServer('multiprocessing');
    const client = await RawClient.connect(server.port);
    await client.write(Buffer.from([0xff, 0xff, 0xff, 0xfe]));
    await client.ended();
    expect(await server.stop()).toEqual([expect.stringContaining('announces the length -2')]);
  });
});

it('under py27 a server that nobody disturbs offers its lock for every 100 ticks of its calls, as Python 2.7 does, however long they take', async () => {
  // Four leaves before a call, of five ticks each: an offer comes with every 20th leaf.
  const ticks = { ticksPerCall: 20, workPerCallNs: 1_000, leafNs: 250 };
  const server = await startServer('blocking', { policy: 'py27(tick=100ns)', ...ticks });
  const client = await RawClient.connect(server.port);
  await expectServed(client);
  await server.begin();
  for (let message = 0; message < 300; message++) await expectServed(client);
  const { yields, transitions } = (await server.end()).server;
  expect(yields / transitions).toBeCloseTo(4 / 20, 2);
});
