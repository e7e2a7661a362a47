/**
 * Every port of the software that somebody else's bytes can reach: how it is started, what its clients send, and a client beside which
 * the storm blows. To add a port, write what its clients send in `conversations.ts` and add a line to the list.
 */
import type fc from 'fast-check';
import { Child } from '../../bench/processes/child.ts';
import { clientCommands } from '../../client/protocol.ts';
import { EDITOR, loadServer, SERVERS } from '../../server/servers.ts';
import { openAgent } from '../agent.ts';
import { compiled } from '../compiled.ts';
import { openDemo } from '../demo.ts';
import { openServer } from '../open-server.ts';
import { CONVERSATIONS } from './conversations.ts';

/** A port with somebody behind it. */
export interface OpenPort {
  readonly port: number;
  /** The process that listens. */
  readonly pid: number;
  /** How the process ended, if it has. */
  readonly lost: string | undefined;
  /** Connects a client that behaves well. */
  connect(): Promise<DecentClient>;
  /** Ends the process, which must do so by itself. Returns what went wrong. */
  stop(): Promise<string | null>;
}

export interface DecentClient {
  /** Makes round trips, one after the other. Returns what each took; fails if an echo is not what was sent. */
  trips(count: number): Promise<readonly number[]>;
  stop(): Promise<void>;
}

export interface Port {
  readonly name: string;
  readonly valid: fc.Arbitrary<readonly Uint8Array[]>;
  open(): Promise<OpenPort>;
}

const TIMEOUT_MS = 60_000;
/** Lengths mutated by chance are on both sides of the first; connections that are held end within the storm by the second. */
const LIMITS = { maxMessageBytes: 2 ** 20, peerTimeoutNs: 5e9 };
/** A round trip of the client beside may take so long, or the server serves nobody. */
const TRIP_BUDGET_NS = 10e9;

async function echoServer(name: string): Promise<Port> {
  const { transport } = await loadServer(name);
  return {
    name,
    valid: CONVERSATIONS[name === EDITOR ? 'key' : transport],
    async open() {
      const server = await openServer(name, 'py32', LIMITS);
      return Object.assign(server, { connect: () => connectClient(transport, server.port) });
    },
  };
}

async function connectClient(transport: string, port: number): Promise<DecentClient> {
  const client = new Child("the well-behaved client's process", compiled('client/main.js'), clientCommands);
  const setup = { transport, host: '127.0.0.1', port, payloadBytes: 8_192, delayNs: 1e6, warmupMessages: 0 };
  await client.call('connect', setup, TIMEOUT_MS);
  return {
    async trips(messages) {
      const { rttNs, ended } = await client.call('run', { messages, budgetNs: messages * TRIP_BUDGET_NS }, TIMEOUT_MS);
      if (ended !== 'complete')
        throw new Error(`${rttNs.length} of ${messages} round trips were made beside the storm`);
      return [...rttNs];
    },
    async stop() {
      await client.call('stop', {}, TIMEOUT_MS).catch(() => {});
      await client.ended(TIMEOUT_MS);
    },
  };
}

/** All of them. */
export const PORTS: readonly Port[] = [
  ...(await Promise.all(Object.keys(SERVERS).map(echoServer))),
  { name: 'control', valid: CONVERSATIONS.control, open: openAgent },
  { name: 'demo', valid: CONVERSATIONS.http, open: openDemo },
];
