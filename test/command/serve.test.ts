/** `convoy serve` of one server, and `convoy client`: each against the other, and against what goes wrong. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { roundTripsFileSchema } from '../../bench/result/round-trips.ts';
import { isConnected } from './connected.ts';
import { Convoy, convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server that listens. */
async function serving(...args: string[]): Promise<{ run: Convoy; port: string }> {
  const run = new Convoy('serve', ...args);
  await run.until(() => /listens on \S+ port \d+\n/.test(run.stdout));
  return { run, port: /port (\d+)/.exec(run.stdout)?.[1] ?? '' };
}

const SHORT = ['--messages', '20', '--warmup', '5'];

describe('convoy serve', () => {
  it.each([
    ['native', 'unloaded'],
    ['zeromq', 'loaded'],
    ['multiprocessing', 'offloaded'],
    ['nonblocking', 'loaded'],
  ])('serves %s %s to convoy client, until it is told to end', async (server, scenario) => {
    const { run, port } = await serving('--server', server, '--scenario', scenario, '--policy', 'priority');
    expect(run.stdout).toBe(`${server} under priority, ${scenario}: listens on 127.0.0.1 port ${port}\n`);
    const json = join(folder, `${server}.json`);
    const client = await convoy(
      'client',
      '--connect',
      `127.0.0.1:${port}`,
      '--server',
      server,
      ...SHORT,
      '--json',
      json,
    );
    expect(client.stdout).toMatch(/20 of 20 messages of 8KiB echoed[\s\S]*round trip, ms: p50 \d/);
    expect({ code: client.code, stderr: client.stderr }).toEqual({ code: EXIT.ok, stderr: '' });
    const file = roundTripsFileSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
    expect(file).toMatchObject({ messages: 20, ended: 'complete', environment: { node: process.version } });
    expect(file.rttNs).toHaveLength(20);

    run.process.kill('SIGTERM');
    const { code, stdout, stderr } = await run.finished();
    expect(stdout).toMatch(/\nin \d+\.\d s: \d+ % of a CPU, \d+ calls without the lock/);
    if (scenario !== 'unloaded') expect(stdout).toMatch(/CPU threads keep \d+ %/);
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: '' });
    expect(await run.leftovers()).toEqual([]);
  });

  it('says what it counts as often as it is asked to', async () => {
    const { run } = await serving('--every', '100ms');
    await run.until(() => (run.stdout.match(/^in 0\.\d s:/gm) ?? []).length >= 3);
    run.process.kill('SIGINT');
    expect((await run.finished()).code).toBe(EXIT.ok);
  });

  it('ends with the reason when its server dies', async () => {
    const { run } = await serving();
    process.kill(run.processes('server')[0] as number, 'SIGKILL');
    const { code, stderr } = await run.finished();
    expect(stderr).toBe("convoy: the server's process ended by SIGKILL\n");
    expect(code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
  });

  it('leaves nothing behind when it is killed itself', async () => {
    const { run } = await serving('--scenario', 'offloaded');
    run.process.kill('SIGKILL');
    await run.finished();
    expect(await run.leftovers()).toEqual([]);
  });

  it.each([
    [['--server', 'blocking,native'], /--server: serve has one/],
    [['--policy', 'py27,py32'], /--policy: serve has one/],
    [['--scenario', 'loaded,unloaded'], /--scenario: serve has one/],
    [['--scenario', 'gui', '--server', 'native'], /--scenario gui has a server of its own/],
    [['--host', 'localhost'], /--host is an IPv4 address/],
    [['--server-cpus', '1000'], /--server-cpus: CPU 1000 is not there/],
    [['--token-file', 'x'], /--token-file is of --control/],
    [['--control', 'anywhere'], /--control is HOST:PORT/],
    [['--control', '127.0.0.1:0', '--scenario', 'loaded'], /--scenario is said by the controller/],
    [['--control', '127.0.0.1:0', '--token-file', '/nowhere'], /--token-file: \/nowhere cannot be read/],
    [['--control', '127.0.0.1:0', '--token-file', '/dev/null'], /a token has 16 to 4096 characters, not 0/],
    [['--control', '127.0.0.1:0'], /a control connection needs a token/],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runHere('serve', ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });
});

describe('convoy client', () => {
  it.each(['framed', 'zmtp'])('says when nothing answers: %s', async (transport) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    server.close();
    const { code, stdout, stderr } = await convoy('client', '--connect', `127.0.0.1:${port}`, '--transport', transport);
    expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1 port ${port}: .*; there: convoy serve`));
    expect({ code, stdout }).toEqual({ code: EXIT.unavailable, stdout: '' });
  });

  it('says when the server goes away in mid-run', async () => {
    const { run, port } = await serving();
    // No warm-up: a server that goes away while it lasts is one that was never there.
    const client = new Convoy('client', '--connect', `127.0.0.1:${port}`, '--messages', '100000', '--warmup', '0');
    await client.until(() => client.processes('client').some(isConnected));
    run.process.kill('SIGTERM');
    const { code, stderr } = await client.finished();
    expect(stderr).toMatch(/127\.0\.0\.1 port \d+: .*the server ended the connection/);
    expect(code).toBe(EXIT.cellFailed);
    expect(await client.leftovers()).toEqual([]);
    await run.finished();
  });

  it('interrupted, tells what it has', async () => {
    const { run, port } = await serving();
    const client = new Convoy('client', '--connect', `localhost:${port}`, '--messages', '100000', '--warmup', '5');
    await client.until(() => client.processes('client').some(isConnected));
    // For the five of the warm-up, and some of those that count.
    await new Promise((resolve) => setTimeout(resolve, 500));
    client.process.kill('SIGINT');
    const { code, stdout } = await client.finished();
    expect(stdout).toMatch(/of 100,000 messages of 8KiB echoed, 1ms pause after each; interrupted/);
    expect(code).toBe(EXIT.interrupted);
    run.process.kill('SIGTERM');
    await run.finished();
  });

  it.each([
    [[], /Missing required argument: connect/],
    [['--connect', '10.0.0.1'], /--connect is HOST:PORT/],
    [['--connect', '10.0.0.1:70000'], /--connect is HOST:PORT/],
    [['--connect', '127.0.0.1:1', '--transport', 'udp'], /no transport «udp»/],
    [['--connect', '127.0.0.1:1', '--server', 'zeromq', '--transport', 'zmtp'], /mutually exclusive/],
    [['--connect', '127.0.0.1:1', '--client-cpus', 'x'], /--client-cpus is a list of CPUs/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runHere('client', ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.usage);
  });
});
