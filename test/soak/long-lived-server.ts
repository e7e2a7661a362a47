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
const LEAST_CYCLES = 24;
/** For the server to see that its clients are gone; on a busy machine that takes its time. */
const SETTLE_MS = 500;
const LOOK_EVERY_MS = 5;

export async function longLivedServer(name: string): Promise<Subject> {
  // Under this policy the CPU thread gives the lock up at once: cycles are many.
  const server = await openServer(name, 'priority', { maxMessageBytes: 2 ** 20, peerTimeoutNs: 30e9 });
  await server.spin();
  const load = CLIENTS[server.transport];
  if (load === undefined) throw new Error(`no client for ${server.transport}`);
  const client = (await load()).default;
  const to = { host: '127.0.0.1', port: server.port };
  // The first time is waited out.
  let descriptors = 0;
  return {
    name,
    leastCycles: LEAST_CYCLES,
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
      descriptors = await settle(server.pid, descriptors);
    },
    usage: () => usageOf(server.pid),
    async stop() {
      const failure = await server.stop();
      if (failure !== null) throw new Error(`${name}: ${failure}`);
    },
  };
}

/**
 * Waits until the process holds no more than after the cycle before, or the time is up: what is still held then is new. Else a
 * connection that the server has not yet seen end would count, and the next one would find no idle thread and start another.
 *
 * @returns the descriptors it holds then
 */
async function settle(pid: number, before: number): Promise<number> {
  const endMs = performance.now() + SETTLE_MS;
  for (;;) {
    await delay(LOOK_EVERY_MS);
    const { descriptors } = usageOf(pid);
    if (descriptors <= before || performance.now() > endMs) return descriptors;
  }
}

async function vanishInMidFrame(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(Buffer.from([0, 0, 16, 0, 1, 2, 3]));
  await delay(1);
  socket.resetAndDestroy();
}
