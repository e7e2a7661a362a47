/** What happens to a run from outside without killing it: processes stopped, the clock set, descriptors used up, peers that go silent. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import koffi from 'koffi';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import type { MeasuredRound } from '../../bench/result/result.ts';
import { readResult } from '../../bench/result/result-file.ts';
import { encodeFrame } from '../../net/frame.ts';
import { close, listen, portOf } from '../../net/posix.ts';
import { startClient } from '../processes.ts';
import { RawClient } from '../server/raw-client.ts';
import { isConnected } from './connected.ts';
import { Convoy } from './convoy.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-stopped-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const CELL = ['--server', 'blocking', '--policy', 'py32', '--scenario', 'unloaded', '--warmup', '5'];

async function onlyRound(json: string): Promise<MeasuredRound> {
  const round = (await readResult(json)).cells[0]?.rounds[0];
  if (round?.state !== 'measured') throw new Error(`not measured: ${round?.message}`);
  return round;
}

/** Waits until the one cell is being measured: some of its messages have been. Returns a process of it. */
async function measuring(run: Convoy, kind: 'server' | 'client'): Promise<number> {
  const clients = () => run.processes('client').filter(isConnected);
  await run.until(() => clients().length > 0);
  const client = clients()[0] as number;
  const connected = timesAsleep(client);
  // Each message is a wait for its echo and a pause; of the warm-up there are five.
  await run.until(() => timesAsleep(client) > connected + 100);
  return run.processes(kind)[0] as number;
}

/** How often the threads of a process have gone to sleep, by proc(5). */
function timesAsleep(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
    .reduce((sum, status) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]), 0);
}

describe('a process that is stopped', () => {
  it.concurrent.each(['server', 'client'] as const)(
    'for a second, %s: the second is in the result, and nothing is lost',
    async (kind) => {
      const json = join(folder, `${kind}-second.json`);
      const run = new Convoy(...CELL, '--messages', '2000', '--budget', '60s', '--json', json);
      const pid = await measuring(run, kind);
      process.kill(pid, 'SIGSTOP');
      await delay(1_000);
      process.kill(pid, 'SIGCONT');
      const { code, stderr } = await run.finished();
      expect(code, stderr).toBe(EXIT.ok);
      const { rttNs, sentNs } = await onlyRound(json);
      expect(rttNs).toHaveLength(2_000);
      const gapNs = Math.max(...sentNs.map((ns, i) => ns - (sentNs[i - 1] ?? 0)));
      expect(gapNs).toBeGreaterThan(0.9e9);
      expect(await run.leftovers()).toEqual([]);
    },
  );

  it.concurrent.each([
    ['server', /the server's process did not answer «\w+» within 10\S* s/],
    ['client', /the client's process did not answer «run» within 14\S* s/],
  ] as const)('for good, %s: the cell fails, and it is ended', { timeout: 90_000 }, async (kind, message) => {
    const run = new Convoy(...CELL, '--messages', '10000', '--budget', '1s');
    process.kill(await measuring(run, kind), 'SIGSTOP');
    const { code, stderr } = await run.finished();
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
  });
});

describe('a server that', () => {
  /** Not ours: answers each connection as it likes. Returns its port. */
  async function startPeer(serve: (socket: Socket) => void): Promise<number> {
    const peer = createServer((socket) => serve(socket.on('error', () => {})));
    peer.listen(0, '127.0.0.1');
    await once(peer, 'listening');
    onTestFinished(() => void peer.close());
    const address = peer.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it('is gone without a word, half-open: the client says so, within seconds', async () => {
    const port = await startPeer(() => {});
    await expect(startClient({ transport: 'framed', port, warmupMessages: 10 })).rejects.toThrow(
      /the server is silent: 0 echoes came, and then none for seconds/,
    );
  });

  it('resets the connection: the client says that the server ended it', async () => {
    const port = await startPeer((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const run = new Convoy('client', '--connect', `127.0.0.1:${port}`, '--warmup', '0');
    const { code, stderr } = await run.finished();
    expect(stderr).toMatch(/: the server ended the connection: (recv|send): (ECONNRESET|EPIPE)$/m);
    expect(code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
  });
});

describe('the clock', () => {
  it('is set back and forth by hours while a run goes on: no figure has it', async () => {
    const preload = join(folder, 'stepping-clock.cjs');
    writeFileSync(
      preload,
      `const now = Date.now; let step = 1;
       const stepped = () => now() + (step = -step) * 3_600_000;
       globalThis.Date = new Proxy(Date, {
         construct: (Real, args) => (args.length === 0 ? new Real(stepped()) : new Real(...args)),
         get: (Real, name) => (name === 'now' ? stepped : Real[name]),
       });`,
    );
    const json = join(folder, 'stepped.json');
    const before = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = `--require ${preload}`;
    const run = new Convoy(...CELL, '--messages', '100', '--json', json);
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
    const startMs = performance.now();
    const { code, stderr } = await run.finished();
    const tookNs = (performance.now() - startMs) * 1e6;
    expect(code, stderr).toBe(EXIT.ok);
    const { createdAt } = await readResult(json);
    // The stepping reached the program: the one date there is shows it.
    expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeGreaterThan(1_800_000);
    const { rttNs, sentNs, durationNs, reading } = await onlyRound(json);
    for (const ns of [durationNs, reading.durationNs, reading.cpuNs, ...rttNs]) {
      expect(ns).toBeGreaterThan(0);
      expect(ns).toBeLessThan(tookNs);
    }
    expect(sentNs).toEqual([...sentNs].sort((a, b) => a - b));
  });

  it('of the wall is read by nothing that measures', () => {
    const root = resolve(import.meta.dirname, '../..');
    const rooms = ['lock', 'net', 'server', 'client', 'workers'].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
    );
    const files = [
      ...rooms.filter((file) => file.endsWith('.ts')),
      'bench/measure/measure.ts',
      'bench/measure/split.ts',
    ];
    expect(files.length).toBeGreaterThan(50);
    const readers = files.filter((file) => /\bDate\b|CLOCK_REALTIME/.test(readFileSync(join(root, file), 'utf8')));
    expect(readers).toEqual([]);
  });
});

describe('out of file descriptors', () => {
  const prlimit = koffi.load(null).func('int prlimit(int pid, int resource, const uint64_t *limit, void *old)');
  const RLIMIT_NOFILE = 7;
  /** Lets a process open no more than so many descriptors; what it has open it keeps. */
  function limit(pid: number, descriptors: number): void {
    const [, hard = ''] = /^Max open files +\d+ +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
    expect(prlimit(pid, RLIMIT_NOFILE, new BigUint64Array([BigInt(descriptors), BigInt(hard)]), null)).toBe(0);
  }
  /** The number the next descriptor has: the lowest that is free. */
  function next(pid: number): number {
    const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    for (let descriptor = 0; ; descriptor++) if (!used.has(descriptor)) return descriptor;
  }

  it.each([
    // The kernel reserves a descriptor for an accept that waits, and then there is none for the thread.
    ['blocking', 'turned away'],
    ['nonblocking', 'waits'],
  ])(
    'the %s server serves those it has; who comes then is %s, and is served when there is room',
    async (name, fate) => {
      const reserved = listen({ host: '127.0.0.1', port: 0 });
      const port = portOf(reserved);
      close(reserved);
      const run = new Convoy(
        ...[...CELL.slice(2), '--server', name, '--port', `${port}`],
        ...['--messages', '4000', '--budget', '60s'],
      );
      const pid = await measuring(run, 'server');
      const frame = encodeFrame(Buffer.from('served'));
      const exchange = (client: RawClient) =>
        client.exchange(frame).then(
          (echo) => (echo.equals(frame) ? 'served' : 'wrong'),
          () => 'turned away',
        );
      const early = await RawClient.connect(port);
      expect(await exchange(early)).toBe('served');
      limit(pid, next(pid));
      const late = exchange(await RawClient.connect(port));
      expect(await Promise.race([late, delay(1_000, 'waits')])).toBe(fate);
      expect(await exchange(early)).toBe('served');
      limit(pid, 1_000);
      expect(await late).toBe(fate === 'waits' ? 'served' : fate);
      const later = await RawClient.connect(port);
      expect(await exchange(later)).toBe('served');
      for (const client of [early, later]) client.end();
      const { code, stdout, stderr } = await run.finished();
      expect(code, stderr).toBe(EXIT.ok);
      if (fate === 'turned away') expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/ended by an error, first: .*EMFILE/);
      expect(await run.leftovers()).toEqual([]);
    },
  );

  it('bench fails the cells it cannot start, says why, and measures those it can', async () => {
    const run = new Convoy(...CELL, '--messages', '5', '--rounds', '6');
    const finished = () => run.stderr.match(/^\[\d\/6\]/gm)?.length ?? 0;
    const failed = () => run.stderr.match(/^failed .*EMFILE/gm)?.length ?? 0;
    await run.until(() => finished() >= 1);
    const pid = run.process.pid as number;
    limit(pid, next(pid));
    await run.until(() => failed() >= 1);
    limit(pid, 1_000);
    const { code, stderr } = await run.finished();
    expect(code, stderr).toBe(EXIT.cellFailed);
    expect(finished() + failed(), stderr).toBe(6);
    expect(finished(), stderr).toBeGreaterThan(1);
    expect(await run.leftovers()).toEqual([]);
  });
});
