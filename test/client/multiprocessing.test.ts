import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from '../../bench/processes/child.ts';
import { decodePayload } from '../../client/multiprocessing.ts';
import { clientCommands } from '../../client/protocol.ts';
import { ProtocolError } from '../../net/frame.ts';

const CLIENT_PROCESS = new URL('../../dist/client/main.js', import.meta.url);
const TIMEOUT_MS = 20_000;

describe('a payload', () => {
  it('that was encoded decodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        expect(Buffer.compare(decodePayload(pack(Buffer.from(payload))), payload)).toBe(0);
      }),
    );
  });

  it('of any bytes decodes to bytes, or is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (body) => {
        try {
          expect(decodePayload(body)).toBeInstanceOf(Uint8Array);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  it.each([
    ['is cut off', [0xc4, 0x08, 1, 2]],
    ['has bytes left over', [0xc4, 0x01, 1, 2]],
    ['is a number', [0x2a]],
    ['is empty', []],
  ])('that %s is refused', (_, body) => {
    expect(() => decodePayload(Uint8Array.from(body))).toThrow(ProtocolError);
  });
});

describe('a client', () => {
  /** Connects a client's process to a server that answers with these bytes, and makes one round trip. */
  async function answeredWith(answer: Uint8Array): Promise<void> {
    const server = createServer((connection) => {
      connection.on('error', () => {}).once('data', () => connection.end(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new Child("the client's process", CLIENT_PROCESS, clientCommands);
    onTestFinished(async () => {
      server.close();
      await client.call('stop', {}, TIMEOUT_MS).catch(() => {});
      expect(await client.ended(TIMEOUT_MS)).toBe(true);
    });
    const { port } = server.address() as AddressInfo;
    const setup = { transport: 'multiprocessing', host: '127.0.0.1', port, payloadBytes: 8, delayNs: 0 };
    await client.call('connect', { ...setup, warmupMessages: 1 }, TIMEOUT_MS);
  }

  it('says so when the echo does not decode', async () => {
    const body = Buffer.alloc(10, 0xc1);
    await expect(answeredWith(Buffer.concat([Buffer.from([0, 0, 0, 10]), body]))).rejects.toThrow('MessagePack');
  });

  it('says so when the echo announces another length', async () => {
    await expect(answeredWith(Buffer.from([0, 0, 0, 9]))).rejects.toThrow('announces 9');
    await expect(answeredWith(Buffer.from([0x7f, 0, 0, 0]))).rejects.toThrow('more than the 10 allowed');
  });

  it('says so when the echo is cut off', async () => {
    await expect(answeredWith(Buffer.from([0, 0, 0, 10, 1, 2]))).rejects.toThrow('after 2 of 10 bytes');
  });
});
