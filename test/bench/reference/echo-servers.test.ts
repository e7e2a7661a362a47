/** Our clients at the servers in Python, byte for byte: the client compares every echo with what it sent. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from '../../../bench/processes/child.ts';
import {
  ECHO_SERVERS,
  findReferences,
  isInterpreter,
  REFERENCE_SERVERS,
} from '../../../bench/reference/interpreter.ts';
import { interpreterChannel } from '../../../bench/reference/interpreter-channel.ts';
import { withLockCounter } from '../../../bench/reference/lock-counter.ts';
import { referenceCommands } from '../../../bench/reference/reference-protocol.ts';
import { encodeFrame } from '../../../net/frame.ts';
import { loadServer } from '../../../server/servers.ts';
import { startClient, startClientThread } from '../../processes.ts';
import { RawClient } from '../../server/raw-client.ts';

/** Only to end a test that would wait for ever. */
const TIMEOUT_MS = 20_000;
const KIB = 1024;

const all = (await findReferences(['auto'])).filter(isInterpreter);
/** One of each kind; the kinds that are not there are skipped by name. */
const references = Object.entries({
  'CPython 2': all.find(({ from }) => from.implementation === 'CPython' && from.language[0] === 2),
  'CPython 3': all.find(({ from }) => from.implementation === 'CPython' && from.language[0] === 3),
  'a Python with pyzmq': all.find(({ from }) => from.pyzmq !== null),
  PyPy: all.find(({ from }) => from.implementation === 'PyPy'),
}).map(([name, interpreter]) => ({ name, interpreter }));
const hasCompiler = await withLockCounter(async (library) => library !== null);
/** The oldest: what it does not trip over, none does. */
const python = references.find(({ interpreter }) => interpreter !== undefined)?.interpreter;
const python3 = references.find(({ name }) => name === 'CPython 3')?.interpreter;

/** A server in an interpreter, told to end at the test's end at the latest. */
async function startServer(path: string, server: string, lockCounter: string | null = null) {
  const child = new Child('the interpreter', () => interpreterChannel(path, lockCounter), referenceCommands);
  onTestFinished(async () => {
    await child.call('stop', {}, TIMEOUT_MS).catch(() => {});
    expect(await child.ended(TIMEOUT_MS), 'it ended by itself').toBe(true);
  });
  const setup = { server, host: '127.0.0.1', port: 0, maxMessageBytes: KIB * KIB, loggedCalls: 1_000 };
  const { port } = await child.call('start', setup, TIMEOUT_MS);
  return { child, port };
}

/**
 * Resolves when all threads of a process sleep at once: each sleeps at both of two looks, and none ran in between, or it would have been
 * switched from once more (proc(5)).
 */
async function allAsleep(pid: number): Promise<void> {
  const look = () =>
    readdirSync(`/proc/${pid}/task`)
      .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
      .map((status) => status.match(/^(State|\w*voluntary_ctxt_switches):.*/gm)?.join('; '));
  const deadline = Date.now() + TIMEOUT_MS;
  for (let [before, now] = [look(), look()]; ; [before, now] = [now, look()]) {
    if (now.every((thread, i) => thread?.includes('(sleeping)') && thread === before[i])) return;
    if (Date.now() > deadline) throw new Error(`threads never rest: ${now.join(' | ')}`);
    await delay(1);
  }
}

describe.each(references)('in $name', ({ interpreter }) => {
  const path = interpreter?.from.path ?? '';

  describe.each(REFERENCE_SERVERS)('%s', (name) => {
    const missing = interpreter === undefined || (name === 'zeromq' && interpreter.from.pyzmq === null);

    it.skipIf(missing)('sends back what our clients send, several at once, and says nothing against them', async () => {
      const { child, port } = await startServer(path, name);
      const { transport } = await loadServer(name);
      // Below 16 KiB, at it and above, multiprocessing writes the header with the body or by itself.
      const sizes = [0, 1, 8 * KIB, 16 * KIB - 6, 16 * KIB, KIB * KIB];
      const clients = await Promise.all(
        sizes.map((payloadBytes) => startClientThread({ transport, port, payloadBytes })),
      );
      const runs = await Promise.all(clients.map((client) => client.run(20)));
      for (const run of runs) expect(run).toMatchObject({ ended: 'complete' });
      await Promise.all(clients.map((client) => client.stop()));
      expect(await child.call('stop', {}, TIMEOUT_MS)).toEqual({ connectionErrors: [] });
    });

    it.skipIf(missing || !hasCompiler || interpreter?.from.implementation !== 'CPython' || name === 'zeromq')(
      'gives up its lock as often for a message as ours, seen from outside',
      async () => {
        await withLockCounter(async (library) => {
          const { child, port } = await startServer(path, name, library);
          const { transport, transitionsPerMessage } = await loadServer(name);
          const client = await startClient({ transport, port, warmupMessages: 5, delayNs: 1e6 });
          // The thread that accepted the client is back in accept, too: counting does not begin with a call half made.
          await allAsleep(child.pid);
          await child.call('begin', {}, TIMEOUT_MS);
          const messages = 200;
          await client.run(messages);
          const { reading, calls } = await child.call('end', {}, TIMEOUT_MS);
          await client.stop();
          // A call at either end may be counted or not; a message may already be there, or come in two pieces.
          const perMessage = (reading.server?.transitions ?? 0) / messages;
          expect(perMessage).toBeGreaterThan(transitionsPerMessage - 0.3);
          expect(perMessage).toBeLessThan(transitionsPerMessage + 0.3);
          expect(calls).toHaveLength(3 * (reading.server?.transitions ?? 0));
          expect(calls?.every((ns, i) => i === 0 || ns >= (calls[i - 1] ?? 0))).toBe(true);
          // Of another thread only this one's own main can have had the lock.
          expect(reading.server?.waitBehindSpinnersNs).toBe(0);
        });
      },
    );
  });

  it.skipIf(interpreter === undefined)(
    'a server that stops passes over a connection that its thread has closed',
    async () => {
      const program = `
import sys
sys.path.insert(0, sys.argv[1])
import echo_servers, multiprocessing
one, other = multiprocessing.Pipe()
one.close()
echo_servers.Multiprocessing.interrupt(one)`;
      // -B: no compiled file beside the source.
      await promisify(execFile)(path, ['-B', '-c', program, dirname(ECHO_SERVERS)], { timeout: TIMEOUT_MS });
    },
  );
});

describe('a server in an interpreter', () => {
  it.skipIf(python === undefined).each(['blocking', 'nonblocking'])(
    '%s: refuses a frame that is too long, writes down why, and goes on for the others',
    async (name) => {
      const { child, port } = await startServer(python?.from.path ?? '', name);
      const bad = await RawClient.connect(port);
      await bad.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
      await bad.ended();
      const good = await RawClient.connect(port);
      const frame = encodeFrame(Buffer.from('after it'));
      expect(await good.exchange(frame)).toEqual(frame);
      good.end();
      const { connectionErrors } = await child.call('stop', {}, TIMEOUT_MS);
      expect(connectionErrors).toEqual([expect.stringMatching(/announces 4294967295 bytes, more than the 1048576/)]);
    },
  );

  it.skipIf(python === undefined)('ends when nobody is left to tell it to, CPU threads and all', async () => {
    const channel = interpreterChannel(python?.from.path ?? '', null);
    const exited = new Promise((resolve) => channel.process.once('exit', resolve));
    const child = new Child('the interpreter', () => channel, referenceCommands);
    onTestFinished(() => child.kill());
    const setup = { server: 'blocking', host: '127.0.0.1', port: 0, maxMessageBytes: KIB, loggedCalls: 0 };
    await child.call('start', setup, TIMEOUT_MS);
    await child.call('spin', { spinners: 2, kind: 'fib', priority: 0 }, TIMEOUT_MS);
    channel.process.stdin?.end();
    expect(await exited).toBe(0);
  });

  // Python 2 may not: beside a thread that keeps the lock for 10 ms at a time the one that is told is woken in vain for minutes.
  it.skipIf(python3 === undefined).each(['fib', 'native', 'releasing'] as const)(
    'counts the rounds of a CPU thread of kind %s',
    async (kind) => {
      const { child } = await startServer(python3?.from.path ?? '', 'blocking');
      await child.call('spin', { spinners: 1, kind, priority: 0 }, TIMEOUT_MS);
      const { roundsPerSecond } = await child.call('solo', {}, TIMEOUT_MS);
      expect(roundsPerSecond).toBeGreaterThan(0);
    },
  );

  it('that never says it is ready is given up', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'convoy-silent-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const silent = join(folder, 'python');
    writeFileSync(silent, '#!/bin/sh\nexec sleep 60\n');
    chmodSync(silent, 0o755);
    const child = new Child('the interpreter', () => interpreterChannel(silent, null), referenceCommands);
    const setup = { server: 'blocking', host: '127.0.0.1', port: 0, maxMessageBytes: KIB, loggedCalls: 0 };
    await expect(child.call('start', setup, 100)).rejects.toThrow(/did not answer «start» within 0\.1 s/);
    expect(await child.ended(100)).toBe(false);
  });
});
