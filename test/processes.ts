/** Servers and clients in processes of their own, for tests: from the compiled modules, since worker threads cannot load TypeScript. */
import { Child } from '../bench/child.ts';
import { type ClientSetup, clientCommands } from '../client/protocol.ts';
import { readPolicySpec } from '../lock/load-policy.ts';
import { type ServerSetup, serverCommands } from '../server/protocol.ts';

/** For an answer on a busy machine; a test fails long before it hangs. */
const TIMEOUT_MS = 20_000;

type ServerCommands = typeof serverCommands;
type ClientCommands = typeof clientCommands;

/** A server under the 3.2 policy, listening. */
export async function startServer(server: string, setup: Partial<ServerSetup> = {}) {
  const child = new Child(
    "the server's process",
    new URL('../dist/server/main.js', import.meta.url),
    serverCommands satisfies ServerCommands,
  );
  try {
    const { port } = await child.call(
      'start',
      {
        server,
        policy: await readPolicySpec('py32'),
        host: '127.0.0.1',
        port: 0,
        maxMessageBytes: 2 ** 20,
        ticksPerCall: 10,
        leafNs: 300,
        loggedCalls: 0,
        ...setup,
      },
      TIMEOUT_MS,
    );
    return {
      port,
      begin: () => child.call('begin', {}, TIMEOUT_MS),
      end: async () => (await child.call('end', {}, TIMEOUT_MS)).reading,
      spin: (spinners: number) => child.call('spin', { spinners, kind: 'fib', priority: 0 }, TIMEOUT_MS),
      /** Stops it; how its process then ended. */
      stop: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** A client, connected and warm. */
export async function startClient(setup: Pick<ClientSetup, 'transport' | 'port'> & Partial<ClientSetup>) {
  const child = new Child(
    "the client's process",
    new URL('../dist/client/main.js', import.meta.url),
    clientCommands satisfies ClientCommands,
  );
  try {
    await child.call(
      'connect',
      { host: '127.0.0.1', payloadBytes: 8_192, delayNs: 0, warmupMessages: 0, ...setup },
      TIMEOUT_MS,
    );
    return {
      run: (messages: number) => child.call('run', { messages, budgetNs: 60e9 }, TIMEOUT_MS),
      /** Stops it; how its process then ended. */
      stop: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function stop(child: Child<{ stop: ServerCommands['stop'] | ClientCommands['stop'] }>): Promise<string> {
  await child.call('stop', {}, TIMEOUT_MS).catch(() => {});
  await child.ended(TIMEOUT_MS);
  return child.lost?.message ?? 'still runs';
}
