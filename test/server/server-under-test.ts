/** A server's process for a test, as the bench starts it, and told to end at the test's end at the latest. */
import { expect, onTestFinished } from 'vitest';
import { Child } from '../../bench/child.ts';
import { readPolicySpec } from '../../lock/load-policy.ts';
import { serverCommands } from '../../server/protocol.ts';

const SERVER_PROCESS = new URL('../../dist/server/main.js', import.meta.url);
/** Only to end a test that would wait for ever. */
const TIMEOUT_MS = 20_000;

export interface ServerUnderTest {
  readonly port: number;
  /** How often the server has given up the lock since the last {@link ServerUnderTest.begin}. */
  transitions(): Promise<number>;
  /** Starts counting, once the server has nothing to do. */
  begin(): Promise<void>;
  /** Ends the server, which must leave nothing behind. Returns why connections ended, where it was not by a good-bye. */
  stop(): Promise<string[]>;
}

export async function startServer(
  server: string,
  { maxMessageBytes = 2 ** 26, policy = 'py32' } = {},
): Promise<ServerUnderTest> {
  const child = new Child(`the process of ${server}`, SERVER_PROCESS, serverCommands);
  let stopped: Promise<string[]> | undefined;
  const stop = async () => {
    const { connectionErrors } = await child.call('stop', {}, TIMEOUT_MS);
    expect(await child.ended(TIMEOUT_MS), `${server} ended by itself`).toBe(true);
    return connectionErrors;
  };
  onTestFinished(async () => {
    try {
      stopped ??= stop();
      await stopped;
    } finally {
      child.kill();
    }
  });
  const transitions = async () => (await child.call('end', {}, TIMEOUT_MS)).reading.server.transitions;
  const setup = {
    server,
    policy: await readPolicySpec(policy),
    host: '127.0.0.1',
    port: 0,
    maxMessageBytes,
    ticksPerCall: 0,
    leafNs: 100,
    loggedCalls: 0,
  };
  const { port } = await child.call('start', setup, TIMEOUT_MS);
  return {
    port,
    transitions,
    begin: async () => {
      await child.call('begin', {}, TIMEOUT_MS);
      await settled(transitions);
      await child.call('begin', {}, TIMEOUT_MS);
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Resolves when a count no longer changes. */
export async function settled(count: () => Promise<number>): Promise<number> {
  let last = await count();
  for (let same = 0; same < 5; same++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await count();
    if (now !== last) same = -1;
    last = now;
  }
  return last;
}
