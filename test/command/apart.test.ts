/** `bench --connect` and its agent, on one machine: everything of bench. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { findPython } from '../python.ts';
import { controllerOf, type RunningAgent, readResult, serversOf, startAgent, stopAgent, tokenIn } from './agents.ts';
import { Convoy, convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

let folder: string;
let token: string;
let json: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-apart-'));
  token = tokenIn(folder);
  json = join(folder, 'result.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

const there = (agent: RunningAgent, tokenFile = token) => [...controllerOf(agent, tokenFile), '--json', json];
const SHORT = ['--messages', '20', '--warmup', '20'];
/** Goes on for long enough to be interrupted. */
const LONG = ['--server', 'blocking', '--policy', 'py32', '--messages', '10000', '--budget', '20s'];
const CELL = ['--server', 'blocking', '--policy', 'py32', ...SHORT];

describe('bench --connect', () => {
  let agent: RunningAgent;
  beforeAll(async () => {
    agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
  });
  afterEach(() => agent.run.until(() => serversOf(agent).length === 0));
  afterAll(async () => {
    expect(await stopAgent(agent)).toBe(EXIT.ok);
    expect(await agent.run.leftovers()).toEqual([]);
  });

  it('measures all servers, the CPU work in a process of its own, and the editor; two runs, one after the other', async () => {
    // Loaded are all servers in `two-machines.test.ts`, and one in the next test.
    const cells = ['--policy', 'py32', '--scenario', 'offloaded', ...SHORT];
    const { code, stderr } = await convoy(...there(agent), ...cells);
    expect(stderr).not.toContain('failed');
    expect(code).toBe(EXIT.ok);
    const { cells: measured, environment, serverEnvironment, workload } = readResult(json);
    expect(measured).toHaveLength(5 * 2);
    for (const { rounds } of measured) expect(rounds).toMatchObject([{ state: 'measured', ended: 'complete' }]);
    expect(serverEnvironment).toMatchObject({ node: environment.node, cpu: environment.cpu });
    expect(workload.host).toBe('127.0.0.1');

    const gui = await convoy(...there(agent), '--scenario', 'gui', '--policy', 'py32', '--messages', '5');
    expect(gui.code).toBe(EXIT.ok);
    expect(agent.run.stdout.match(/: came$/gm)?.length).toBeGreaterThanOrEqual(2);
  });

  it('lays the clock of the other machine over its own, where the round trips are long enough', async () => {
    const { code, stdout } = await convoy(
      ...there(agent),
      '--server',
      'blocking',
      '--policy',
      'py32',
      '--messages',
      '60',
    );
    expect(code).toBe(EXIT.ok);
    const loaded = readResult(json).cells.find(({ scenario }) => scenario === 'loaded')?.rounds[0];
    if (loaded?.state !== 'measured' || loaded.lockWaitNs === null) throw new Error(`no split: ${stdout}`);
    expect(loaded.clockErrorNs).toBeGreaterThan(0);
    // Both are one machine's here. Under py32 nearly all of a loaded round trip is waiting for the lock; a clock that is off by a
    // round trip would find little of it.
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const share = sum(loaded.lockWaitNs) / sum(loaded.rttNs);
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThanOrEqual(1);
  });

  it.skipIf(findPython('python3') === undefined)('puts the interpreters of the other machine beside', async () => {
    const { code, stderr } = await convoy(...there(agent), ...CELL, '--scenario', 'unloaded', '--reference', 'python3');
    expect({ code, stderr: stderr.includes('failed') }).toEqual({ code: EXIT.ok, stderr: false });
    expect(readResult(json).policies[1]?.from).toMatchObject({ kind: 'interpreter', implementation: 'CPython' });
  });

  it('Ctrl-C ends the cell there, too, and keeps what is finished', async () => {
    const run = new Convoy(...there(agent), ...LONG);
    await run.until(() => run.processes('client').length === 1 && serversOf(agent).length === 1);
    await delay(500);
    run.process.kill('SIGINT');
    expect((await run.finished()).code).toBe(EXIT.interrupted);
    await agent.run.until(() => serversOf(agent).length === 0);
  });

  it.each([
    [['--host', '10.0.0.1'], /--host is of this machine/],
    [['--reference', '/bin/true'], /--reference \/bin\/true: with --connect by name only/],
    [['--server-cpus', '1000'], /--server-cpus: CPU 1000 is not there/],
    [['--messages', '0'], /--messages is a whole number/],
  ])('refuses %j before anything starts', async (args, message) => {
    const { code, stdout, stderr } = await runHere(...there(agent), ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });

  it('refuses a port that is taken there', async () => {
    const { code, stderr } = await runHere(...there(agent), '--port', `${agent.port}`);
    expect(stderr).toMatch(/the servers cannot listen on 127\.0\.0\.1 port \d+: it is taken/);
    expect(code).toBe(EXIT.usage);
  });

  it('with another token is refused; the agent says by whom, and never shows the token', async () => {
    const { code, stdout, stderr } = await runHere(...there(agent, tokenIn(folder, 'other')), ...CELL);
    expect(stderr).toBe(`convoy: the agent at 127.0.0.1 port ${agent.port}: the token is not the same on both sides\n`);
    expect({ code, stdout }).toEqual({ code: EXIT.unavailable, stdout: '' });
    await agent.run.until(() => /127\.0\.0\.1:\d+: turned away: the token is not the same/.test(agent.run.stdout));
  });

  it('is refused while another controller is there, which goes on', async () => {
    const first = new Convoy(...there(agent), ...LONG);
    await agent.run.until(() => serversOf(agent).length === 1);
    const second = await runHere(...controllerOf(agent, token), ...CELL);
    expect(second.stderr).toMatch(/another controller is there: 127\.0\.0\.1:\d+/);
    expect(second.code).toBe(EXIT.unavailable);
    expect(serversOf(agent)).toHaveLength(1);
    first.process.kill('SIGINT');
    await first.finished();
  });
});

describe('an agent', () => {
  it('runs a policy of the user’s that it was given, and no other text of it', async () => {
    const path = policyFile('mine');
    const agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token, '--policy', path);
    const cell = ['--server', 'blocking', '--scenario', 'unloaded', ...SHORT];
    expect((await convoy(...there(agent), '--policy', path, ...cell)).code).toBe(EXIT.ok);
    writeFileSync(path, `${readFileSync(path, 'utf8')}// changed\n`);
    const changed = await convoy(...there(agent), '--policy', path, ...cell);
    expect(changed.stderr).toMatch(/policy «mine»: its file must be there too/);
    expect(changed.code).toBe(EXIT.usage);
    expect(await stopAgent(agent)).toBe(EXIT.ok);
  });

  it('that is not there, is said to be', async () => {
    const { code, stderr } = await runHere('--connect', '127.0.0.1:1', '--token-file', token);
    expect(stderr).toMatch(/the agent at 127\.0\.0\.1 port 1 cannot be reached: .*ECONNREFUSED/);
    expect(code).toBe(EXIT.unavailable);
  });
});

/** A policy of the user's: the free-threaded one under another name. */
function policyFile(name: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `export default {
  name: '${name}', summary: 'none', exclusive: false, words: {}, options: {},
  rules: () => ({ *acquire() {}, *release() {}, yieldPoint: { kind: 'never' } }),
};
`,
  );
  return path;
}
