/** An echo server in a process of its own for the scripts, which run without a test runner that would stop it. */
import { Child } from '../bench/processes/child.ts';
import { readPolicySpec } from '../lock/policy-spec.ts';
import { serverCommands } from '../server/protocol.ts';
import { loadServer } from '../server/servers.ts';
import { compiled } from './compiled.ts';

const TIMEOUT_MS = 60_000;

/** @param limits what the server demands of its clients */
export async function openServer(
  server: string,
  policy: string,
  limits: { readonly maxMessageBytes: number; readonly peerTimeoutNs: number },
) {
  const { transport } = await loadServer(server);
  const process = new Child(`the process of ${server}`, compiled('server/main.js'), serverCommands);
  const setup = { server, policy: await readPolicySpec(policy), host: '127.0.0.1', port: 0, ...limits };
  const { port } = await process.call(
    'start',
    { ...setup, workPerCallNs: 0, leafNs: 300, loggedCalls: 1_000, records: false },
    TIMEOUT_MS,
  );
  return {
    transport,
    port,
    pid: process.pid,
    /** How the process ended, if it has. */
    get lost(): string | undefined {
      return process.lost?.message;
    },
    /** Starts a CPU thread. */
    spin: () => process.call('spin', { spinners: 1, kind: 'fib', priority: -1 }, TIMEOUT_MS),
    /** Reads all counters. */
    async count(): Promise<void> {
      await process.call('begin', {}, TIMEOUT_MS);
      await process.call('end', {}, TIMEOUT_MS);
    },
    /** Ends the process, which must do so by itself. Returns what went wrong. */
    async stop(): Promise<string | null> {
      try {
        await process.call('stop', {}, TIMEOUT_MS);
        if (!(await process.ended(TIMEOUT_MS))) return 'it did not end when it was told to';
        return process.lost?.message.endsWith('exit code 0') === true ? null : (process.lost?.message ?? 'still runs');
      } catch (error) {
        process.kill();
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}
