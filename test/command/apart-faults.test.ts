/** `bench --connect` and its agent, when one of them is killed or stopped in mid-run. Each test has both of its own, and most of it is waiting. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { SILENCE_MS } from '../../bench/remote/protocol.ts';
import { journalPath, readJournal } from '../../bench/run/journal.ts';
import { controllerOf, type RunningAgent, readResult, serversOf, startAgent, stopAgent, tokenIn } from './agents.ts';
import { Convoy, convoy } from './convoy.ts';

let folder: string;
let token: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-apart-'));
  token = tokenIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two cells; by this seed the unloaded one is first. The loaded one goes on for seconds. */
const LONG = [
  ...['--server', 'blocking', '--policy', 'py32', '--messages', '400', '--warmup', '100'],
  ...['--budget', '20s', '--seed', '2'],
];

const agents: RunningAgent[] = [];
// A test that fails leaves its own.
afterAll(() => {
  for (const pid of agents.flatMap(({ run }) => run.processes())) process.kill(pid, 'SIGKILL');
});
async function agentOfOurs(): Promise<RunningAgent> {
  const agent = await startAgent([], '--control', '127.0.0.1:0', '--token-file', token);
  agents.push(agent);
  return agent;
}
const jsonOf = (agent: RunningAgent) => join(folder, `${agent.port}.json`);
const statesIn = (agent: RunningAgent) =>
  readResult(jsonOf(agent))
    .cells.flatMap(({ rounds }) => rounds.map(({ state }) => state))
    .sort();

/** A controller whose second cell is under way. */
async function inSecondCell(agent: RunningAgent): Promise<Convoy> {
  const run = new Convoy(...controllerOf(agent, token), '--json', jsonOf(agent), ...LONG);
  await run.until(() => run.stderr.includes('[1/2]') && serversOf(agent).length === 1);
  await run.until(() => run.processes('client').length === 1);
  await delay(700);
  return run;
}

describe.concurrent('a controller', () => {
  it('killed in mid-run: the agent ends what it started, and the next one is welcome', async () => {
    const agent = await agentOfOurs();
    const run = await inSecondCell(agent);
    run.process.kill('SIGKILL');
    await run.finished();
    expect(await run.leftovers()).toEqual([]);
    const next = await convoy(
      ...controllerOf(agent, token),
      ...['--server', 'blocking', '--policy', 'free-threaded', '--messages', '20', '--warmup', '20'],
    );
    expect(next.code).toBe(EXIT.ok);
    expect(serversOf(agent)).toEqual([]);
    expect(await stopAgent(agent)).toBe(EXIT.ok);
  });

  it('stopped in mid-run: the agent waits for so long, and ends what it started', async () => {
    const agent = await agentOfOurs();
    const run = await inSecondCell(agent);
    run.process.kill('SIGSTOP');
    await agent.run.until(() => agent.run.stdout.includes(`was not heard for ${SILENCE_MS / 1e3} s`));
    expect(serversOf(agent)).toEqual([]);
    run.process.kill('SIGCONT');
    expect((await run.finished()).code).toBe(EXIT.cellFailed);
    expect(await run.leftovers()).toEqual([]);
    expect(await stopAgent(agent)).toBe(EXIT.ok);
  });
});

describe.concurrent('an agent', () => {
  it.each([
    ['killed', 'SIGKILL', /the agent at 127\.0\.0\.1 port \d+ is gone: ended the connection/],
    ['stopped', 'SIGSTOP', /the agent at 127\.0\.0\.1 port \d+ did not answer «ping» within 10 s/],
  ] as const)('%s in mid-run: the cell fails, what is finished is kept and shown', async (_, signal, message) => {
    const agent = await agentOfOurs();
    const run = await inSecondCell(agent);
    agent.run.process.kill(signal);
    const { code, stdout, stderr } = await run.finished();
    expect(stderr).toMatch(message);
    expect(stdout).toMatch(/unloaded: seconds for 10,000 messages/);
    expect(code).toBe(EXIT.cellFailed);
    expect(statesIn(agent)).toEqual(['failed', 'measured']);
    expect(await run.leftovers()).toEqual([]);
    if (signal === 'SIGSTOP') {
      // It is itself again, and knows that its controller is gone.
      agent.run.process.kill('SIGCONT');
      await agent.run.until(() => serversOf(agent).length === 0);
      expect(await stopAgent(agent)).toBe(EXIT.ok);
    }
    await agent.run.finished();
    expect(await agent.run.leftovers()).toEqual([]);
  });

  it('whose server dies says which and how', async () => {
    const agent = await agentOfOurs();
    const run = await inSecondCell(agent);
    process.kill(serversOf(agent)[0] as number, 'SIGKILL');
    const { code, stderr } = await run.finished();
    expect(stderr).toMatch(/failed round 1: py32\/blocking loaded: the server's process ended by SIGKILL/);
    expect(code).toBe(EXIT.cellFailed);
    expect(statesIn(agent)).toEqual(['failed', 'measured']);
    expect(await stopAgent(agent)).toBe(EXIT.ok);
  });
});

// By itself: each of those above has four processes already.
it('a controller killed in mid-run: --resume goes on against the agent, on the same machine, and measures what is missing', async () => {
  const agent = await agentOfOurs();
  const run = await inSecondCell(agent);
  run.process.kill('SIGKILL');
  await run.finished();
  const json = jsonOf(agent);
  const { entries } = await readJournal(json);
  expect(entries).toHaveLength(1);
  expect(readResult(json)).toMatchObject({ interrupted: true, rounds: 1 });

  // As if the agent's machine had been another.
  const path = journalPath(json);
  const journal = readFileSync(path, 'utf8');
  const [first = '', ...rest] = journal.split('\n');
  const { serverEnvironment, ...header } = JSON.parse(first);
  const elsewhere = JSON.stringify({ ...header, serverEnvironment: { ...serverEnvironment, cpu: 'Another CPU' } });
  writeFileSync(path, [elsewhere, ...rest].join('\n'));
  const refused = await convoy('--resume', json);
  expect(refused.stderr).toMatch(/the server's cpu: "Another CPU" there, ".*" here/);
  expect(refused).toMatchObject({ code: EXIT.usage, stdout: '' });

  writeFileSync(path, journal);
  // Address and token are in the journal.
  const { code, stderr } = await convoy('--resume', json);
  expect(code, stderr).toBe(EXIT.ok);
  expect(stderr.match(/^\[\d\/2\] round 1/gm)).toEqual(['[2/2] round 1']);
  const { cells, interrupted, serverEnvironment: there } = readResult(json);
  expect(cells.flatMap(({ rounds }) => rounds)).toHaveLength(2);
  expect(cells.flatMap(({ rounds }) => rounds)).toContainEqual(entries[0]?.round);
  expect(statesIn(agent)).toEqual(['measured', 'measured']);
  expect({ interrupted, cpu: there?.cpu }).toEqual({ interrupted: false, cpu: serverEnvironment.cpu });
  expect(existsSync(path)).toBe(false);
  expect(serversOf(agent)).toEqual([]);
  expect(await stopAgent(agent)).toBe(EXIT.ok);
});
