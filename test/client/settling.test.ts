/** What a client does between its warm-up and the round trips that are counted. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from '../../bench/processes/child.ts';
import { clientCommands } from '../../client/protocol.ts';

const CLIENT_PROCESS = new URL('../../dist/client/main.js', import.meta.url);
const TIMEOUT_MS = 20_000;
const PAYLOAD_BYTES = 8;
const FRAME_BYTES = 4 + PAYLOAD_BYTES;
const WARMUP_MESSAGES = 3;

/** A client that is warm, beside a server whose connection is given to `serve`. */
async function warmClient(serve: (connection: Socket) => void, { delayNs }: { delayNs: number } = { delayNs: 0 }) {
  const server = createServer((connection) => {
    connection.on('error', () => {});
    serve(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Child("the client's process", CLIENT_PROCESS, clientCommands);
  onTestFinished(async () => {
    server.close();
    await client.call('stop', {}, TIMEOUT_MS);
    expect(await client.ended(TIMEOUT_MS)).toBe(true);
  });
  const { port } = server.address() as AddressInfo;
  const setup = { transport: 'framed', host: '127.0.0.1', port, payloadBytes: PAYLOAD_BYTES, delayNs };
  await client.call('connect', { ...setup, warmupMessages: WARMUP_MESSAGES }, TIMEOUT_MS);
  return client;
}

describe('a client that settles', () => {
  it('makes no more round trips than warmed it up, with and without pauses, and none of them is counted', async () => {
    let echoedBytes = 0;
    const client = await warmClient((connection) => {
      connection.on('data', (bytes) => {
        echoedBytes += bytes.length;
        connection.write(bytes);
      });
    });
    expect(echoedBytes).toBe(WARMUP_MESSAGES * FRAME_BYTES);
    await client.call('settle', { budgetNs: 10e9 }, TIMEOUT_MS);
    expect(echoedBytes).toBe(3 * WARMUP_MESSAGES * FRAME_BYTES);
    const { rttNs, ended } = await client.call('run', { messages: 5, budgetNs: 10e9 }, TIMEOUT_MS);
    expect({ count: rttNs.length, ended }).toEqual({ count: 5, ended: 'complete' });
  });

  it('makes the last of them at the pace of the run', async () => {
    const cameMs: number[] = [];
    const client = await warmClient(
      (connection) => {
        connection.on('data', (bytes) => {
          cameMs.push(performance.now());
          connection.write(bytes);
        });
      },
      { delayNs: 50e6 },
    );
    await client.call('settle', { budgetNs: 10e9 }, TIMEOUT_MS);
    const gapsMs = cameMs.map((ms, i) => ms - (cameMs[i - 1] ?? ms)).slice(1);
    expect(gapsMs).toHaveLength(3 * WARMUP_MESSAGES - 1);
    // A pause is never shorter than it is set to.
    expect(Math.min(...gapsMs.slice(1 - WARMUP_MESSAGES))).toBeGreaterThan(45);
    expect(Math.min(...gapsMs.slice(WARMUP_MESSAGES, 1 - WARMUP_MESSAGES))).toBeLessThan(45);
  });

  it('gives up a message that outlasts three budgets; the run is then over, and counts nothing', async () => {
    let bytesLeft = WARMUP_MESSAGES * FRAME_BYTES;
    const client = await warmClient((connection) => {
      connection.on('data', (bytes) => {
        const echoed = bytes.subarray(0, bytesLeft);
        bytesLeft -= echoed.length;
        connection.write(echoed);
      });
    });
    await client.call('settle', { budgetNs: 20e6 }, TIMEOUT_MS);
    const { rttNs, ended } = await client.call('run', { messages: 5, budgetNs: 20e6 }, TIMEOUT_MS);
    expect({ count: rttNs.length, ended }).toEqual({ count: 0, ended: 'budget' });
  });
});
