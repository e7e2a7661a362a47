/**
 * A server's process that lives long, where the bench gives each cell a new one: connections that come, exchange messages and go, in good
 * order and not, beside a CPU thread under the same lock.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIENTS } from '../../client/clients.ts';
import { openServer } from '../open-server.ts';
import { usageOf } from '../usage.ts';
import type { Subject } from './subject.ts';

const CONNECTIONS = 4;
const MESSAGES = 5;
const PAYLOAD_BYTES = 8_192;
/** For the server to see that its clients are gone. */
const SETTLE_MS = 30;

export async function longLivedServer(name: string): Promise<Subject> {
  // Under this policy the CPU thread gives the lock up at once: cycles are many.
  const server = await openServer(name, 'priority', { maxMessageBytes: 2 ** 20, peerTimeoutNs: 30e9 });
  await server.spin();
  const load = CLIENTS[server.transport];
  if (load === undefined) throw new Error(`no client for ${server.transport}`);
  const client = (await load()).default;
  const to = { host: '127.0.0.1', port: server.port };
  return {
    name,
    async cycle() {
      const connections = Array.from({ length: CONNECTIONS }, () => client.connect(to, PAYLOAD_BYTES));
      for (let message = 0; message < MESSAGES; message++) {
        for (const connection of connections) {
          connection.payload.fill(message + 1);
          connection.exchange();
          if (Buffer.compare(connection.payload, connection.echo()) !== 0) throw new Error(`${name}: an echo differs`);
        }
      }
      for (const connection of connections) connection.close();
      await vanishInMidFrame(server.port);
      await server.count();
      await delay(SETTLE_MS);
    },
    usage: () => usageOf(server.pid),
    async stop() {
      const failure = await server.stop();
      if (failure !== null) throw new Error(`${name}: ${failure}`);
    },
  };
}

async function vanishInMidFrame(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(Buffer.from([0, 0, 16, 0, 1, 2, 3]));
  await delay(1);
  socket.resetAndDestroy();
}
