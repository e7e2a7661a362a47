/**
 * Servers and clients in processes of their own, for tests, as the bench starts them: from the compiled modules, since worker threads
 * cannot load TypeScript. Each is told to end at its test's, or its block's, end at the latest, and must do so by itself.
 */
import { Worker } from 'node:worker_threads';
import { beforeAll, expect, onTestFinished } from 'vitest';
import { Child } from '../bench/processes/child.ts';
import { type ClientSetup, clientCommands, type RoundTrips } from '../client/protocol.ts';
import type { ClientThreadData, ClientThreadMessage, ClientThreadTask } from '../client/thread-messages.ts';
import { readPolicySpec } from '../lock/policy-spec.ts';
import { type ServerSetup, serverCommands } from '../server/protocol.ts';
import { compiled } from './compiled.ts';
import { usageOf } from './usage.ts';

/** For an answer on a busy machine, and to end a test that would wait for ever. */
const TIMEOUT_MS = 20_000;
/** zeromq.js warns when libzmq's own thread takes more than half a second to end: on a busy machine, whether or not anything is queued. */
const ORDERLY = /exit code 0(; it wrote:\n\(node:\d+\) WARNING: Waiting for queued ZeroMQ messages [^\n]*)?$/;

/** Is given what must be done at an end. */
type AtEnd = (clean: () => Promise<void>) => void;

/**
 * A server, listening.
 *
 * @param policy as on the command line
 * @param atEnd at whose end it is ended at the latest
 */
export async function startServer(
  server: string,
  {
    policy = 'py32',
    ticksPerCall,
    ...setup
  }: Partial<Omit<ServerSetup, 'policy'>> & { policy?: string; ticksPerCall?: number } = {},
  atEnd: AtEnd = onTestFinished,
) {
  const spec = { ...(await readPolicySpec(policy)), ...(ticksPerCall === undefined ? {} : { ticksPerCall }) };
  const child = new Child(
    `the process of ${server}`,
    new URL('../dist/server/main.js', import.meta.url),
    serverCommands,
  );
  const stop = stopOnce(child, () => child.call('stop', {}, TIMEOUT_MS), atEnd);
  const { port } = await child.call(
    'start',
    {
      server,
      policy: spec,
      host: '127.0.0.1',
      port: 0,
      maxMessageBytes: 2 ** 26,
      peerTimeoutNs: 30e9,
      workPerCallNs: 400,
      leafNs: 300,
      loggedCalls: 0,
      records: false,
      ...setup,
    },
    TIMEOUT_MS,
  );
  const begin = () => child.call('begin', {}, TIMEOUT_MS);
  const end = async () => (await child.call('end', {}, TIMEOUT_MS)).reading;
  const transitions = async () => (await end()).server.transitions;
  return {
    port,
    /** What its process holds. */
    usage: () => usageOf(child.pid),
    /** Starts counting, once the server has nothing to do. */
    begin: async () => {
      await begin();
      await settled(transitions);
      await begin();
    },
    /** What was counted since. */
    end,
    /** What its threads have done since a time on the machine's clock. */
    timeline: (sinceNs: number) => child.call('timeline', { sinceNs }, TIMEOUT_MS),
    /** How often the server has given up the lock since. */
    transitions,
    spin: (spinners: number) => child.call('spin', { spinners, kind: 'fib', priority: 0 }, TIMEOUT_MS),
    /** Ends the server, which must leave nothing behind. Returns why connections ended, where it was not by a good-bye. */
    stop: async () => (await stop()).connectionErrors,
  };
}

/** A server for all tests of a block that need nothing else of one; returns what gives it to each. */
export function sharedServer(server: string): () => Awaited<ReturnType<typeof startServer>> {
  let shared: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    const cleans: (() => Promise<void>)[] = [];
    shared = await startServer(server, {}, (clean) => cleans.push(clean));
    return async () => {
      for (const clean of cleans) await clean();
    };
  });
  return () => shared;
}

/** A client, connected and warm. */
export async function startClient(setup: Pick<ClientSetup, 'transport' | 'port'> & Partial<ClientSetup>) {
  const child = new Child("the client's process", new URL('../dist/client/main.js', import.meta.url), clientCommands);
  const stop = stopOnce(child, () => child.call('stop', {}, TIMEOUT_MS), onTestFinished);
  await child.call(
    'connect',
    { host: '127.0.0.1', payloadBytes: 8_192, delayNs: 0, warmupMessages: 0, ...setup },
    TIMEOUT_MS,
  );
  return {
    run: (messages: number) => child.call('run', { messages, budgetNs: 60e9 }, TIMEOUT_MS),
    /** Ends the client, which must leave nothing behind. */
    stop: async () => void (await stop()),
  };
}

/**
 * A client, connected, in a thread of this process: for tests of many, of which a process each would take longer than all else. Ended with
 * its connection, so that the server's end ends it, too.
 */
export async function startClientThread(setup: Pick<ClientSetup, 'transport' | 'port'> & Partial<ClientSetup>) {
  const words = new SharedArrayBuffer(8);
  const whole = { host: '127.0.0.1', payloadBytes: 8_192, delayNs: 0, warmupMessages: 0, ...setup };
  const worker = new Worker(compiled('client/client-thread.js'), {
    workerData: { setup: whole, words } satisfies ClientThreadData,
  });
  const gone = new Promise<never>((_, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the client ended')));
  });
  gone.catch(() => {});
  const hear = <Kind extends ClientThreadMessage['kind']>(kind: Kind) =>
    Promise.race([
      gone,
      new Promise<Extract<ClientThreadMessage, { kind: Kind }>>((resolve) => {
        worker.on('message', (message: ClientThreadMessage) => {
          if (message.kind === kind) resolve(message as Extract<ClientThreadMessage, { kind: Kind }>);
        });
      }),
    ]);
  const say = (task: ClientThreadTask) => worker.postMessage(task);
  await hear('warm');
  return {
    async run(messages: number): Promise<RoundTrips> {
      say({ kind: 'run', messages });
      return (await hear('ran')).trips;
    },
    /** Says good-bye, and waits until the thread has ended. */
    async stop(): Promise<void> {
      say({ kind: 'close' });
      await gone.catch(() => {});
    },
  };
}

/** What stops a process, however often it is called; once at an end at the latest. */
function stopOnce<Answer>(
  child: Pick<Child<typeof serverCommands>, 'ended' | 'kill' | 'lost'>,
  tell: () => Promise<Answer>,
  atEnd: AtEnd,
): () => Promise<Answer> {
  let stopped: Promise<Answer> | undefined;
  const stop = async () => {
    const answer = await tell();
    expect(await child.ended(TIMEOUT_MS), 'it ended by itself').toBe(true);
    expect(child.lost?.message).toMatch(ORDERLY);
    return answer;
  };
  const once = () => {
    stopped ??= stop();
    return stopped;
  };
  atEnd(async () => {
    try {
      await once();
    } finally {
      child.kill();
    }
  });
  return once;
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
