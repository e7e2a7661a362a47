/**
 * Two machines, as far as one can be two: a network namespace for each, and a wire between them. Skipped where that is not permitted; with
 * delay and loss where the system has netem.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { percentile, sortSamples } from '../../bench/figures/statistics.ts';
import type { Result } from '../../bench/result/result.ts';
import { type RunningAgent, readResult, startAgent, stopAgent, tokenIn } from './agents.ts';
import { Convoy, inNamespace } from './convoy.ts';

const SERVER = `convoy-s-${process.pid}`;
const CLIENT = `convoy-c-${process.pid}`;
const SERVER_ADDRESS = '10.211.11.1';
const CLIENT_ADDRESS = '10.211.11.2';

const ip = (...args: string[]) => spawnSync('ip', args, { encoding: 'utf8' });
const inside = (namespace: string, ...command: string[]) => ip('netns', 'exec', namespace, ...command);

/** Makes the two and the wire. Returns why it cannot. */
function lay(): string | null {
  const commands = [
    ...[SERVER, CLIENT].map((name) => ['netns', 'add', name]),
    ['link', 'add', 'wire', 'netns', SERVER, 'type', 'veth', 'peer', 'name', 'wire', 'netns', CLIENT],
    ['-n', SERVER, 'address', 'add', `${SERVER_ADDRESS}/30`, 'dev', 'wire'],
    ['-n', CLIENT, 'address', 'add', `${CLIENT_ADDRESS}/30`, 'dev', 'wire'],
    ...[SERVER, CLIENT].flatMap((name) => [
      ['-n', name, 'link', 'set', 'lo', 'up'],
      ['-n', name, 'link', 'set', 'wire', 'up'],
    ]),
  ];
  for (const command of commands) {
    const { status, stderr, error } = ip(...command);
    if (status !== 0) return error?.message ?? stderr.trim();
  }
  return null;
}

function remove(): void {
  for (const name of [SERVER, CLIENT]) ip('netns', 'delete', name);
}

const netem = (...how: string[]) =>
  inside(CLIENT, 'tc', 'qdisc', 'replace', 'dev', 'wire', 'root', 'netem', ...how).status === 0;

const whyNot = lay();
const hasNetem =
  whyNot === null &&
  netem('delay', '0ms') &&
  inside(CLIENT, 'tc', 'qdisc', 'delete', 'dev', 'wire', 'root').status === 0;
if (whyNot !== null) remove();

describe.skipIf(whyNot !== null)(`two network namespaces${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  let folder: string;
  let json: string;
  let token: string;
  let agent: RunningAgent;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-two-'));
    json = join(folder, 'result.json');
    token = tokenIn(folder);
    agent = await startAgent(inNamespace(SERVER), '--control', '0.0.0.0:25001', '--token-file', token);
  });
  afterAll(async () => {
    await stopAgent(agent);
    remove();
    rmSync(folder, { recursive: true });
  });

  async function bench(...args: string[]): Promise<Result> {
    const run = new Convoy(
      ...inNamespace(CLIENT),
      ...['bench', '--connect', `${SERVER_ADDRESS}:25001`, '--token-file', token, '--json', json, ...args],
    );
    const { code, stderr } = await run.finished();
    expect(stderr).not.toContain('failed');
    expect(code).toBe(EXIT.ok);
    expect(await run.leftovers()).toEqual([]);
    return readResult(json);
  }

  const p50 = ({ cells }: Result) => {
    const [round] = cells[0]?.rounds ?? [];
    return round?.state === 'measured' ? percentile(sortSamples(round.rttNs), 50) : Number.NaN;
  };

  it('the whole matrix runs across them by one command, servers on a port of choice', async () => {
    const { cells, workload } = await bench(
      ...['--policy', 'priority', '--port', '25000'],
      ...['--messages', '20', '--warmup', '20'],
    );
    expect(workload).toMatchObject({ host: SERVER_ADDRESS, port: 25000 });
    expect(cells).toHaveLength(5 * 2);
    for (const { rounds } of cells) expect(rounds).toMatchObject([{ state: 'measured', connectionErrors: [] }]);
  });

  it('a server and a client meet across them', async () => {
    const server = new Convoy(
      ...inNamespace(SERVER),
      'serve',
      '--server',
      'zeromq',
      '--host',
      SERVER_ADDRESS,
      '--port',
      '25002',
    );
    await server.until(() => server.stdout.includes(`listens on ${SERVER_ADDRESS} port 25002`));
    const client = new Convoy(
      ...inNamespace(CLIENT),
      ...['client', '--connect', `${SERVER_ADDRESS}:25002`, '--server', 'zeromq', '--messages', '20', '--warmup', '5'],
    );
    const { code, stdout } = await client.finished();
    expect(stdout).toMatch(/zmtp: 20 of 20 messages/);
    expect(code).toBe(EXIT.ok);
    server.process.kill('SIGTERM');
    expect((await server.finished()).code).toBe(EXIT.ok);
  });

  it('a wire that is cut in mid-run ends the run, not before what is finished is kept', async () => {
    const cell = ['--server', 'blocking', '--policy', 'py32', '--messages', '1000', '--budget', '3s', '--seed', '2'];
    const run = new Convoy(
      ...inNamespace(CLIENT),
      ...['bench', '--connect', `${SERVER_ADDRESS}:25001`, '--token-file', token, '--json', json, ...cell],
    );
    await run.until(() => run.stderr.includes('[1/2]') && run.processes('client').length === 1);
    ip('-n', CLIENT, 'link', 'set', 'wire', 'down');
    const { code, stderr } = await run.finished();
    ip('-n', CLIENT, 'link', 'set', 'wire', 'up');
    expect(stderr).toMatch(/failed round 1: py32\/blocking loaded: the agent at 10\.211\.11\.1 port 25001/);
    expect(code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
    const { cells } = readResult(json);
    expect(cells.flatMap(({ rounds }) => rounds.map(({ state }) => state)).sort()).toEqual(['failed', 'measured']);
    await agent.run.until(() => /controller 10\.211\.11\.2:\d+: (?!came)/.test(agent.run.stdout));
    expect(agent.run.processes('server')).toEqual([]);
  });

  it.skipIf(!hasNetem)(`delay and loss${hasNetem ? '' : ' (skipped: this kernel has no netem)'}`, async () => {
    const cell = ['--server', 'blocking', '--policy', 'free-threaded', '--scenario', 'unloaded', '--warmup', '5'];
    const near = await bench(...cell, '--messages', '50');
    netem('delay', '20ms', 'loss', '1%');
    const far = await bench(...cell, '--messages', '50', '--budget', '20s');
    expect(p50(far) / p50(near)).toBeGreaterThan(10);
    // Half of the quickest question and answer, however uneven the ways: at least 10 ms now, and nothing can be split.
    const [round] = far.cells[0]?.rounds ?? [];
    expect(round).toMatchObject({ state: 'measured', lockWaitNs: null });
    expect(far.warnings.map(({ kind }) => kind)).toContain('clocks-apart');
    inside(CLIENT, 'tc', 'qdisc', 'delete', 'dev', 'wire', 'root');
  });
});
