import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Router } from 'zeromq';
import { startClient } from '../processes.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

async function router(): Promise<{ socket: Router; port: number }> {
  const socket = new Router({ linger: 0 });
  opened.push(socket);
  await socket.bind('tcp://127.0.0.1:0');
  return { socket, port: Number(socket.lastEndpoint?.split(':').at(-1)) };
}

/** Answers every message with what `reply` makes of it, until the socket is closed. */
async function answer(socket: Router, reply: (payload: Buffer) => Buffer): Promise<void> {
  for await (const [sender = '', delimiter = '', payload = Buffer.alloc(0)] of socket) {
    await socket.send([sender, delimiter, reply(payload)]);
  }
}

async function tcpServer(onConnection: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer({}, onConnection);
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('the ZeroMQ client', () => {
  it('makes round trips, and ends when told to', async () => {
    const { socket, port } = await router();
    const answering = answer(socket, (payload) => payload);
    const client = await startClient({ transport: 'zmtp', port, warmupMessages: 5 });
    const trips = await client.run(20);
    expect(trips.ended).toBe('complete');
    expect(trips.rttNs).toHaveLength(20);
    await client.stop();
    socket.close();
    await answering;
  });

  it.each([0, 1])('makes round trips of %i bytes', async (payloadBytes) => {
    const { socket, port } = await router();
    const answering = answer(socket, (payload) => payload);
    const client = await startClient({ transport: 'zmtp', port, payloadBytes });
    expect((await client.run(3)).ended).toBe('complete');
    await client.stop();
    socket.close();
    await answering;
  });

  it('ends when told to while it waits for an echo that never comes', async () => {
    const { socket, port } = await router();
    const client = await startClient({ transport: 'zmtp', port });
    const running = client.run(1);
    await socket.receive();
    const [trips] = await Promise.all([running, client.stop()]);
    expect(trips.ended).toBe('stopped');
    expect(trips.rttNs).toHaveLength(0);
  });

  it('fails when the server goes away with a message', async () => {
    const { socket, port } = await router();
    const client = await startClient({ transport: 'zmtp', port });
    const running = client.run(1);
    running.catch(() => {});
    await socket.receive();
    socket.close();
    await expect(running).rejects.toThrow('the server ended the connection');
    await client.stop();
  });

  it.each([
    ['longer', (payload: Buffer) => Buffer.concat([payload, Buffer.from('x')]), 'the echo of 8192 bytes has 8193'],
    ['shorter', (payload: Buffer) => payload.subarray(1), 'the echo of 8192 bytes has 8191'],
    ['different', (payload: Buffer) => Buffer.alloc(payload.length), 'differs'],
  ])('refuses an echo that is %s', async (_, reply, message) => {
    const { socket, port } = await router();
    const answering = answer(socket, reply);
    const connecting = startClient({ transport: 'zmtp', port, warmupMessages: 1 });
    await expect(connecting).rejects.toThrow(message);
    socket.close();
    await answering;
  });

  it('says so when nobody listens', async () => {
    const server = await tcpServer(() => {});
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    await expect(startClient({ transport: 'zmtp', port })).rejects.toThrow(
      `no ZeroMQ server answers on 127.0.0.1 port ${port}`,
    );
  });

  it('says so when the server speaks something else', async () => {
    const server = await tcpServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'.padEnd(200));
    });
    const port = portOf(server);
    await expect(startClient({ transport: 'zmtp', port })).rejects.toThrow(
      `no ZeroMQ server answers on 127.0.0.1 port ${port}`,
    );
  });
});
