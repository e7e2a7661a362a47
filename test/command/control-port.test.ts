/** Strangers on the control port of an agent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { HANDSHAKE_MS, MAX_STRANGERS } from '../../bench/remote/protocol.ts';
import { CONTROL_VERSION } from '../../bench/remote/token.ts';
import { encodeFrame } from '../../net/frame.ts';
import { controllerOf, type RunningAgent, startAgent, stopAgent, tokenIn } from './agents.ts';
import { convoy } from './convoy.ts';

let folder: string;
let token: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-strangers-'));
  token = tokenIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const CELL = ['--server', 'blocking', '--policy', 'free-threaded', '--messages', '20', '--warmup', '20'];

describe('strangers on the control port', () => {
  let agent: RunningAgent;
  beforeAll(async () => {
    agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
  });
  afterAll(async () => {
    await stopAgent(agent);
  });

  function stranger(...bytes: (string | Uint8Array)[]): { socket: Socket; closed: Promise<Buffer> } {
    const socket = connect(agent.port, '127.0.0.1').on('error', () => {});
    const said: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => said.push(chunk));
    for (const part of bytes) socket.write(part);
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(said)))) };
  }

  it.each([
    ['a browser', ['GET / HTTP/1.1\r\n\r\n']],
    ['garbage', [encodeFrame(Buffer.from([0xc1, 0xff, 0x00]))]],
    ['a large frame', [Buffer.from([0xff, 0xff, 0xff, 0xff])]],
    ['a command', [encodeFrame(new Packr({ useRecords: false }).pack({ id: 0, command: 'open', request: {} }))]],
  ])('%s is sent away at once', async (_, bytes) => {
    const startMs = performance.now();
    expect(await stranger(...bytes).closed).toHaveLength(0);
    expect(performance.now() - startMs).toBeLessThan(HANDSHAKE_MS / 2);
  });

  it('of another version are told which is needed', async () => {
    const hello = { kind: 'hello', control: CONTROL_VERSION + 1, convoy: '99.0.0', more: true };
    const said = await stranger(encodeFrame(new Packr({ useRecords: false }).pack(hello))).closed;
    expect(said.toString('latin1')).toMatch(
      /the controller is Convoy 99\.0\.0 \(control 2\): install the same on both/,
    );
  });

  it('slow ones are sent away, more than a few at a time too, and a controller comes through', async () => {
    const slow = Array.from({ length: MAX_STRANGERS + 4 }, () => stranger(Buffer.from([0, 0])));
    const first = await Promise.race(slow.map(({ closed }, i) => closed.then(() => i)));
    expect(first).toBeLessThan(4);
    expect((await convoy(...controllerOf(agent, token), ...CELL)).code).toBe(EXIT.ok);
    await Promise.all(slow.map(({ closed }) => closed));
  });
});
