/** `--server-cpus` and `--client-cpus`: of every thread, those of libzmq and of the engine included. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { allowedCpus, parseCpuList } from '../../bench/processes/cpu-list.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { findPython } from '../python.ts';
import { isConnected } from './connected.ts';
import { Convoy, convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const [first, second] = parseCpuList(allowedCpus()) ?? [];
const python = findPython('python3');

let folder: string;
let json: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-cpus-'));
  json = join(folder, 'result.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Thread {
  readonly name: string;
  readonly cpus: string;
}

function threadsOf(pids: readonly number[]): Thread[] {
  return pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
      return { name: field('Name'), cpus: field('Cpus_allowed_list') };
    }),
  );
}

const commandOf = (pid: number) => read(`/proc/${pid}/cmdline`);

/** proc(5): utime is the 12th field behind the name, in hundredths of a second. */
function cpuSeconds(pid: number): number {
  return Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[11] ?? 0) / 100;
}

/** Empty if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Threads of the client and of the others, once it is connected and a CPU thread is at work; the run is then ended. */
async function threadsDuring(isServer: (command: string) => boolean, ...args: readonly string[]) {
  const run = new Convoy(
    ...['--server-cpus', `${first}`, '--client-cpus', `${second}`, '--messages', '10000', '--warmup', '10'],
    // It is ended when it has been looked at, however slow the machine is.
    ...['--budget', '30s', ...args],
  );
  // To start takes CPU, too: on a busy machine a server may have used that much before there is anything but it.
  await run.until(
    () =>
      run.processes('client').some(isConnected) &&
      run.processes().some((pid) => isServer(commandOf(pid)) && cpuSeconds(pid) > 0.7),
  );
  const clients = run.processes('client');
  const servers = run.processes().filter((pid) => pid !== run.process.pid && !clients.includes(pid));
  const threads = { client: threadsOf(clients), servers: threadsOf(servers), processes: servers.length };
  run.process.kill('SIGINT');
  const { stdout } = await run.finished();
  expect(await run.leftovers()).toEqual([]);
  expect(new Set(threads.client.map(({ cpus }) => cpus))).toEqual(new Set([`${second}`]));
  expect(new Set(threads.servers.map(({ cpus }) => cpus))).toEqual(new Set([`${first}`]));
  return { ...threads, stdout: stdout.replace(/\s+/g, ' ') };
}

describe.skipIf(second === undefined)('CPU placement holds every thread', () => {
  /** By this seed the last cell of a plan, the one with CPU threads, is the first. */
  const LAST_FIRST = ['--seed', '1'];
  const ours = (command: string) => command.includes('/server/main.js');

  it.each([
    { scenario: 'loaded', server: 'native' },
    { scenario: 'loaded', server: 'zeromq' },
    { scenario: 'offloaded', server: 'blocking' },
  ])('$server $scenario', async ({ scenario, server }) => {
    const { client, servers, processes } = await threadsDuring(
      ours,
      ...['--scenario', scenario, '--server', server, '--policy', 'py32', ...LAST_FIRST],
    );
    expect(processes).toBe(scenario === 'offloaded' ? 2 : 1);
    // The main thread, the client's or the server's and the spinner's, and those that no code of ours started.
    expect(Math.min(client.length, servers.length)).toBeGreaterThan(3);
    if (server !== 'blocking') expect(servers.map(({ name }) => name)).toContain('ZMQbg/IO/0');
  });

  it.skipIf(python === undefined)('of an interpreter', async () => {
    const { servers } = await threadsDuring(
      (command) => command.includes('echo_servers.py'),
      ...['--server', 'blocking', '--policy', 'free-threaded', '--reference', python ?? '', ...LAST_FIRST],
    );
    expect(servers.length).toBeGreaterThan(1);
  });

  it('and it is recorded, and said who must share', async () => {
    const cpus = ['--server-cpus', `${first},${first}`, '--client-cpus', `${second}`];
    const { code, stdout } = await convoy(
      ...['--server', 'blocking', '--policy', 'free-threaded', '--messages', '5', '--json', json, ...cpus],
    );
    expect(code).toBe(EXIT.ok);
    const { workload } = resultSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
    expect(workload).toMatchObject({ serverCpus: `${first}`, clientCpus: `${second}` });
    expect(stdout.replace(/\s+/g, ' ')).toContain(`the server and the CPU thread must share CPU ${first}`);
  });
});

describe('is refused:', () => {
  it.each([
    [['--server-cpus', '0-'], /--server-cpus is a list of CPUs such as 0,2-3, not «0-»/],
    [['--server-cpus', '0,1000'], /--server-cpus: CPU 1000 is not there, or not allowed to this process/],
    [['--client-cpus', '1001'], /--client-cpus: CPU 1001 is not there/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runHere(...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });
});
