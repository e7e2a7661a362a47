import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { Dealer, Request } from 'zeromq';
import native from '../../server/native.ts';
import zeromq from '../../server/zeromq.ts';
import { sharedServer, startClient, startServer } from '../processes.ts';

/** Every wait for an echo is bounded. */
const RECEIVE_TIMEOUT_MS = 10_000;

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

function dealer(port: number): Dealer {
  const socket = new Dealer({ linger: 0, receiveTimeout: RECEIVE_TIMEOUT_MS });
  socket.connect(`tcp://127.0.0.1:${port}`);
  opened.push(socket);
  return socket;
}

function request(port: number): Request {
  const socket = new Request({ linger: 0, receiveTimeout: RECEIVE_TIMEOUT_MS });
  socket.connect(`tcp://127.0.0.1:${port}`);
  opened.push(socket);
  return socket;
}

async function echoOf(socket: Dealer | Request, payload: Buffer): Promise<Buffer[]> {
  await socket.send(payload);
  return socket.receive();
}

/** A peer without ZeroMQ. */
async function rawPeer(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').resume();
  opened.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  // Reset by the server is as good as closed by it.
  socket.on('error', () => {});
  return socket;
}

function closedByServer(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import zmq'], { timeout: 20_000 }).status === 0,
);

/** First half of a ZMTP 3 greeting: signature, version, mechanism NULL, not as server, filler. */
const GREETING = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
  Buffer.from('NULL'.padEnd(20, '\0')),
  Buffer.alloc(32),
]);

const property = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([0, 0, 0, value.length]),
    Buffer.from(value),
  ]);
const READY_BODY = Buffer.concat([
  Buffer.from('\x05READY'),
  property('Socket-Type', 'DEALER'),
  property('Identity', ''),
]);
/** Its second half: the command READY. */
const READY = Buffer.concat([Buffer.from([4, READY_BODY.length]), READY_BODY]);

describe.each([native, zeromq])('the $name server', ({ name, transitionsPerMessage }) => {
  const shared = sharedServer(name);

  it('echoes every byte, to DEALER and to REQ', async () => {
    const server = shared();
    for (const client of [dealer(server.port), request(server.port)]) {
      for (const size of [0, 1, 255, 256, 8_192, 1_000_000]) {
        const payload = randomBytes(size);
        const echo = await echoOf(client, payload);
        expect(echo).toHaveLength(1);
        expect(payload.equals(echo[0] ?? randomBytes(1))).toBe(true);
      }
    }
  });

  it('echoes all frames of a message', async () => {
    const server = shared();
    const client = dealer(server.port);
    await client.send(['one', '', 'three']);
    expect((await client.receive()).map(String)).toEqual(['one', '', 'three']);
    const many = Array.from({ length: 200_000 }, (_, i) => `${i}`);
    await client.send(many);
    expect((await client.receive()).map(String)).toEqual(many);
  });

  it('serves many clients at once, each its own echoes in its own order', async () => {
    const server = shared();
    const clients = Array.from({ length: 50 }, (_, i) => ({ i, socket: dealer(server.port) }));
    const messages = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(
      clients.map(async ({ i, socket }) => {
        for (const n of messages) await socket.send(`${i}: ${n}`);
        for (const n of messages) expect(String(await socket.receive())).toBe(`${i}: ${n}`);
      }),
    );
  });

  it(`gives up the lock ${transitionsPerMessage} times a message`, async () => {
    const server = shared();
    const client = dealer(server.port);
    await echoOf(client, Buffer.from('warm'));
    await server.begin();
    for (let n = 0; n < 100; n++) await echoOf(client, Buffer.alloc(100));
    const { server: counts } = await server.end();
    // The last echo may overtake the thread that sent it, on its way back to the lock.
    expect(Math.abs(counts.transitions - 100 * transitionsPerMessage)).toBeLessThanOrEqual(1);
    expect(counts.steals).toBe(0);
  });

  it('is not disturbed by peers that speak garbage, half a greeting, or nothing', async () => {
    const server = shared();
    const client = dealer(server.port);
    await echoOf(client, Buffer.from('before'));
    await rawPeer(server.port);
    (await rawPeer(server.port)).write(GREETING.subarray(0, 11));
    // Taken for the first frame of ZMTP 1, of 71 bytes, as its first byte is a G: libzmq waits for the rest.
    (await rawPeer(server.port)).write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const noise = await rawPeer(server.port);
    noise.write(Buffer.alloc(100_000));
    // A whole greeting, then a command of 255 bytes that is not READY.
    const malformed = await rawPeer(server.port);
    malformed.write(Buffer.concat([GREETING, Buffer.from([4, 255]), Buffer.alloc(255)]));
    expect(String(await echoOf(client, Buffer.from('after')))).toBe('after');
    await Promise.all([noise, malformed].map(closedByServer));
    expect(String(await echoOf(dealer(server.port), Buffer.from('new')))).toBe('new');
  });

  it('ends connections that keep it waiting, and lets those rest that are between two messages', async () => {
    const server = await startServer(name, { peerTimeoutNs: 400e6 });
    const resting = dealer(server.port);
    await echoOf(resting, Buffer.from('before'));
    const startedMs = performance.now();
    const peers = await Promise.all(
      [
        Buffer.alloc(0),
        GREETING.subarray(0, 11),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        // ZMTP 2, of a DEALER.
        Buffer.concat([GREETING.subarray(0, 10), Buffer.from([1, 5])]),
        // A whole handshake, and 3 bytes of a frame of 200.
        Buffer.concat([GREETING, READY, Buffer.from([0, 200, 1, 2, 3])]),
        Buffer.concat([GREETING, READY]),
      ].map(async (bytes) => {
        const peer = await rawPeer(server.port);
        peer.write(bytes);
        return peer;
      }),
    );
    await Promise.all(peers.map(closedByServer));
    // The connection that rests has been asked for signs of life meanwhile, and given them.
    while (performance.now() - startedMs < 4 * 400) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(String(await echoOf(resting, Buffer.from('after')))).toBe('after');
    await server.stop();
  });

  it('disconnects who announces an oversize message, and nobody else', async () => {
    const server = await startServer(name, { maxMessageBytes: 1_000 });
    const other = dealer(server.port);
    await echoOf(other, Buffer.from('before'));
    const greedy = startClient({ transport: 'zmtp', port: server.port, payloadBytes: 1_001, warmupMessages: 1 });
    await expect(greedy).rejects.toThrow('the server ended the connection');
    expect(await echoOf(other, Buffer.alloc(1_000, 'x'))).toEqual([Buffer.alloc(1_000, 'x')]);
    await server.stop();
  });

  it('ends the connection of a message without an end before it fills the memory, and no other', async () => {
    const server = await startServer(name, { maxMessageBytes: 100_000 });
    const decent = dealer(server.port);
    await echoOf(decent, Buffer.alloc(50_000));
    const endless = await rawPeer(server.port);
    endless.write(Buffer.concat([GREETING, READY]));
    // Who sends before the handshake is over is refused.
    await new Promise((resolve) => setTimeout(resolve, 500));
    // A frame of 2^16 bytes, with more to follow.
    const frame = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536)]);
    const pour = () => {
      while (!endless.destroyed && endless.write(frame));
    };
    endless.on('drain', pour);
    pour();
    let mostBytes = 0;
    while (!endless.destroyed) {
      mostBytes = Math.max(mostBytes, server.usage().memoryBytes);
      await echoOf(decent, Buffer.alloc(50_000));
    }
    expect(mostBytes).toBeLessThan(2 ** 31);
    expect(String(await echoOf(decent, Buffer.from('after')))).toBe('after');
    expect(await server.stop()).toEqual([expect.stringContaining('the client made the server hold')]);
  });

  it('outlives clients that vanish with their echoes under way', async () => {
    const server = shared();
    for (let round = 0; round < 5; round++) {
      const client = dealer(server.port);
      for (let n = 0; n < 50; n++) await client.send(Buffer.alloc(100_000));
      await client.receive();
      client.close();
    }
    expect(String(await echoOf(dealer(server.port), Buffer.from('still here')))).toBe('still here');
  });

  it('ends when told to: without a client, with an idle one, with one that never stops sending', async () => {
    const unused = await startServer(name);
    await unused.stop();

    const idle = await startServer(name);
    await echoOf(dealer(idle.port), Buffer.from('once'));
    await idle.stop();

    const flooded = await startServer(name);
    const client = dealer(flooded.port);
    let flooding = true;
    const flood = (async () => {
      while (flooding) {
        for (let n = 0; n < 100; n++) await client.send(Buffer.alloc(100));
        for (let n = 0; n < 100 && flooding; n++) await client.receive();
      }
    })().catch(() => {});
    await echoOf(dealer(flooded.port), Buffer.from('beside'));
    await flooded.stop();
    flooding = false;
    client.close();
    await flood;
  });

  it('ends when told to beside a CPU thread', async () => {
    const server = await startServer(name);
    await server.spin(1);
    expect(await echoOf(dealer(server.port), Buffer.from('loaded'))).toEqual([Buffer.from('loaded')]);
    await server.stop();
  });

  it('says so when its port is taken, and ends', async () => {
    const first = await startServer(name);
    await expect(startServer(name, { port: first.port })).rejects.toThrow(/EADDRINUSE|[Aa]ddress.*in use/);
    await first.stop();
  });

  it.skipIf(python === undefined)('echoes to pyzmq, REQ and DEALER', async () => {
    const server = shared();
    const script = `
import sys, zmq
for kind in (zmq.REQ, zmq.DEALER):
    socket = zmq.Context.instance().socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, ${RECEIVE_TIMEOUT_MS})
    socket.connect(sys.argv[1])
    for size in (0, 1, 8192, 1000000):
        message = bytes(i % 251 for i in range(size))
        socket.send(message)
        assert socket.recv() == message, size
        assert not socket.getsockopt(zmq.RCVMORE)
    socket.close()
`;
    const client = spawn(python ?? '', ['-c', script, `tcp://127.0.0.1:${server.port}`], {
      timeout: 20_000,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said, [code]] = await Promise.all([text(client.stderr), once(client, 'exit')]);
    expect({ code, said }).toEqual({ code: 0, said: '' });
  });
});
