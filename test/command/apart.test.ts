/** `bench --connect` and its agent, on one machine: everything of bench, and everything that can go wrong with the connection. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { HANDSHAKE_MS, MAX_STRANGERS, SILENCE_MS } from '../../bench/remote/protocol.ts';
import { CONTROL_VERSION } from '../../bench/remote/token.ts';
import { type Result, resultSchema } from '../../bench/result.ts';
import { encodeFrame } from '../../net/frame.ts';
import { findPython } from '../python.ts';
import { type RunningAgent, serversOf, startAgent, stopAgent, tokenIn } from './agents.ts';
import { Convoy, convoy } from './convoy.ts';

let folder: string;
let token: string;
let json: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-apart-'));
  token = tokenIn(folder);
  json = join(folder, 'result.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

const readResult = (): Result => resultSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
const there = (agent: RunningAgent, tokenFile = token) => [
  ...['bench', '--connect', `127.0.0.1:${agent.port}`, '--token-file', tokenFile, '--json', json],
];
const SHORT = ['--messages', '20', '--warmup', '20'];
/** Two cells; by this seed the unloaded one is first, and takes a second. The loaded one goes on for several. */
const LONG = ['--server', 'blocking', '--policy', 'py32', '--messages', '1000', '--budget', '20s', '--seed', '2'];
const CELL = ['--server', 'blocking', '--policy', 'py32', ...SHORT];

describe('bench --connect', () => {
  let agent: RunningAgent;
  beforeEach(async () => {
    agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
  });
  afterEach(async () => {
    expect(await stopAgent(agent)).toBe(EXIT.ok);
    expect(await agent.run.leftovers()).toEqual([]);
  });

  it('measures all servers in all scenarios, and the editor; two runs, one after the other', async () => {
    const cells = ['--policy', 'py32', '--scenario', 'loaded,offloaded', ...SHORT];
    const { code, stderr } = await convoy(...there(agent), ...cells);
    expect(stderr).not.toContain('failed');
    expect(code).toBe(EXIT.ok);
    const { cells: measured, environment, serverEnvironment, workload } = readResult();
    expect(measured).toHaveLength(5 * 3);
    for (const { rounds } of measured) expect(rounds).toMatchObject([{ state: 'measured', ended: 'complete' }]);
    expect(serverEnvironment).toMatchObject({ node: environment.node, cpu: environment.cpu });
    expect(workload.host).toBe('127.0.0.1');

    const gui = await convoy(...there(agent), '--scenario', 'gui', '--policy', 'py32', '--messages', '5');
    expect(gui.code).toBe(EXIT.ok);
    expect(agent.run.stdout.match(/: came$/gm)).toHaveLength(2);
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
    const loaded = readResult().cells.find(({ scenario }) => scenario === 'loaded')?.rounds[0];
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
    const { code, stderr } = await convoy(...there(agent), ...CELL, '--reference', 'python3');
    expect({ code, stderr: stderr.includes('failed') }).toEqual({ code: EXIT.ok, stderr: false });
    expect(readResult().policies[1]?.from).toMatchObject({ kind: 'interpreter', implementation: 'CPython' });
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
    const { code, stdout, stderr } = await convoy(...there(agent), ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });

  it('refuses a port that is taken there', async () => {
    const { code, stderr } = await convoy(...there(agent), '--port', `${agent.port}`);
    expect(stderr).toMatch(/the servers cannot listen on 127\.0\.0\.1 port \d+: it is taken/);
    expect(code).toBe(EXIT.usage);
  });

  it('with another token is refused; the agent says by whom, and never shows the token', async () => {
    const { code, stdout, stderr } = await convoy(...there(agent, tokenIn(folder, 'other')), ...CELL);
    expect(stderr).toBe(`convoy: the agent at 127.0.0.1 port ${agent.port}: the token is not the same on both sides\n`);
    expect({ code, stdout }).toEqual({ code: EXIT.unavailable, stdout: '' });
    await agent.run.until(() => /127\.0\.0\.1:\d+: turned away: the token is not the same/.test(agent.run.stdout));
  });

  it('is refused while another controller is there, which goes on', async () => {
    const first = new Convoy(...there(agent), ...LONG);
    await agent.run.until(() => serversOf(agent).length === 1);
    const second = await convoy('bench', '--connect', `127.0.0.1:${agent.port}`, '--token-file', token, ...CELL);
    expect(second.stderr).toMatch(/another controller is there: 127\.0\.0\.1:\d+/);
    expect(second.code).toBe(EXIT.unavailable);
    expect(serversOf(agent)).toHaveLength(1);
    first.process.kill('SIGINT');
    await first.finished();
  });

  it('killed in mid-run: the agent ends what it started, and the next one is welcome', async () => {
    const run = new Convoy(...there(agent), ...LONG);
    await agent.run.until(() => serversOf(agent).length === 1);
    await delay(300);
    run.process.kill('SIGKILL');
    await run.finished();
    expect(await run.leftovers()).toEqual([]);
    const next = await convoy(...there(agent), ...CELL);
    expect(next.code).toBe(EXIT.ok);
    expect(serversOf(agent)).toEqual([]);
  });

  it('stopped in mid-run: the agent waits for so long, and ends what it started', async () => {
    const run = new Convoy(...there(agent), ...LONG);
    await agent.run.until(() => serversOf(agent).length === 1);
    run.process.kill('SIGSTOP');
    await agent.run.until(() => agent.run.stdout.includes(`was not heard for ${SILENCE_MS / 1e3} s`));
    expect(serversOf(agent)).toEqual([]);
    run.process.kill('SIGCONT');
    expect((await run.finished()).code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
  });
});

describe('an agent', () => {
  /** Resolves when the second cell runs. */
  async function inSecondCell(agent: RunningAgent): Promise<Convoy> {
    const run = new Convoy(...there(agent), ...LONG);
    await run.until(() => run.stderr.includes('[1/2]') && serversOf(agent).length === 1);
    await run.until(() => run.processes('client').length === 1);
    await delay(700);
    return run;
  }

  it.each([
    ['killed', 'SIGKILL', /the agent at 127\.0\.0\.1 port \d+ is gone: ended the connection/],
    ['stopped', 'SIGSTOP', /the agent at 127\.0\.0\.1 port \d+ did not answer «ping» within 10 s/],
  ] as const)('%s in mid-run: the cell fails, what is finished is kept and shown', async (_, signal, message) => {
    const agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
    const run = await inSecondCell(agent);
    agent.run.process.kill(signal);
    const { code, stdout, stderr } = await run.finished();
    expect(stderr).toMatch(message);
    expect(stdout).toMatch(/unloaded: seconds for 10,000 messages/);
    expect(code).toBe(EXIT.cellFailed);
    const rounds = readResult().cells.flatMap((cell) => cell.rounds.map(({ state }) => state));
    expect(rounds.sort()).toEqual(['failed', 'measured']);
    expect(await run.leftovers()).toEqual([]);
    agent.run.process.kill('SIGCONT');
    if (signal === 'SIGSTOP') {
      // It is itself again, and knows that its controller is gone.
      await agent.run.until(() => serversOf(agent).length === 0);
      expect(await stopAgent(agent)).toBe(EXIT.ok);
    }
    await agent.run.finished();
    expect(await agent.run.leftovers()).toEqual([]);
  });

  it('whose server dies says which and how', async () => {
    const agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
    const run = await inSecondCell(agent);
    process.kill(serversOf(agent)[0] as number, 'SIGKILL');
    const { code, stderr } = await run.finished();
    expect(stderr).toMatch(/failed round 1: py32\/blocking loaded: the server's process ended by SIGKILL/);
    expect(code).toBe(EXIT.cellFailed);
    expect(
      readResult()
        .cells.flatMap(({ rounds }) => rounds.map(({ state }) => state))
        .sort(),
    ).toEqual(['failed', 'measured']);
    expect(await stopAgent(agent)).toBe(EXIT.ok);
  });

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
    const { code, stderr } = await convoy('--connect', '127.0.0.1:1', '--token-file', token);
    expect(stderr).toMatch(/the agent at 127\.0\.0\.1 port 1 cannot be reached: .*ECONNREFUSED/);
    expect(code).toBe(EXIT.unavailable);
  });
});

describe('strangers on the control port', () => {
  let agent: RunningAgent;
  beforeAll(async () => {
    agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
  });
  afterAll(async () => {
    await stopAgent(agent);
  });

  function stranger(...bytes: (string | Uint8Array)[]): { socket: Socket; closed: Promise<Buffer> } {
    const socket = connect(agent.port, '127.0.0.1').on('error', () => {});
    const said: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => said.push(chunk));
    for (const part of bytes) socket.write(part);
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(said)))) };
  }

  it.each([
    ['a browser', ['GET / HTTP/1.1\r\n\r\n']],
    ['garbage', [encodeFrame(Buffer.from([0xc1, 0xff, 0x00]))]],
    ['a large frame', [Buffer.from([0xff, 0xff, 0xff, 0xff])]],
    ['a command', [encodeFrame(new Packr({ useRecords: false }).pack({ id: 0, command: 'open', request: {} }))]],
  ])('%s is sent away at once', async (_, bytes) => {
    const startMs = performance.now();
    expect(await stranger(...bytes).closed).toHaveLength(0);
    expect(performance.now() - startMs).toBeLessThan(HANDSHAKE_MS / 2);
  });

  it('of another version are told which is needed', async () => {
    const hello = { kind: 'hello', control: CONTROL_VERSION + 1, convoy: '99.0.0', more: true };
    const said = await stranger(encodeFrame(new Packr({ useRecords: false }).pack(hello))).closed;
    expect(said.toString('latin1')).toMatch(
      /the controller is Convoy 99\.0\.0 \(control 2\): install the same on both/,
    );
  });

  it('slow ones are sent away, more than a few at a time too, and a controller comes through', async () => {
    const slow = Array.from({ length: MAX_STRANGERS + 4 }, () => stranger(Buffer.from([0, 0])));
    const first = await Promise.race(slow.map(({ closed }, i) => closed.then(() => i)));
    expect(first).toBeLessThan(4);
    expect((await convoy(...there(agent), ...CELL)).code).toBe(EXIT.ok);
    await Promise.all(slow.map(({ closed }) => closed));
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
