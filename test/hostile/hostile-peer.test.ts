import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HostilePeer } from './hostile-peer.ts';

/** Of silence. The servers below say something four times as often, or nothing. */
const GOODBYE_MS = 400;
const ECHOES = 8;

/** A peer, and what it connects to, which does this after a client's good-bye. */
async function peerOf(afterGoodbye: (socket: Socket) => void): Promise<HostilePeer> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).on('end', () => afterGoodbye(socket));
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return new HostilePeer((server.address() as AddressInfo).port, GOODBYE_MS);
}

const input = { pieces: [Buffer.from('x')], patient: false, end: 'goodbye' } as const;

describe('after its good-bye a hostile peer', () => {
  it('waits for a server that goes on to answer what came before', async () => {
    const peer = await peerOf((socket) => {
      let left = ECHOES;
      const echoes = setInterval(() => {
        socket.write('x');
        if (--left > 0) return;
        clearInterval(echoes);
        socket.end();
      }, GOODBYE_MS / 4);
    });
    await peer.send(input);
    expect(peer.answeredBytes).toBe(ECHOES);
  });

  it('does not wait for one that says nothing and holds the connection', async () => {
    const peer = await peerOf(() => {});
    await expect(peer.send(input)).rejects.toThrow(/silent for 0.4 s after a client's good-bye/);
  });
});
