/**
 * What a container engine does to the package, done without one: `sealed.sh` says what that is. Needs to be allowed to make namespaces,
 * and to be root in them.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { allowedCpus, parseCpuList } from '../../bench/processes/cpu-list.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { convoy } from '../command/convoy.ts';
import { ROOT } from './files.ts';

const NAMESPACES = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
const permitted = spawnSync('unshare', [...NAMESPACES, 'setpriv', '--reuid=1000', 'true']).status === 0;

let folder: string;
const inside = (path: string) => join(folder, 'package', path);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-sealed-'));
  if (!permitted) return;
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const tarball = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
  mkdirSync(inside('node_modules'));
  writeFileSync(inside('node'), '');
  mkdirSync(inside('results'));
  chownSync(inside('results'), 1000, 1000);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Node under seal. */
function start(...args: string[]): { child: ChildProcess; finished: Promise<{ code: number; said: string }> } {
  const script = join(ROOT, 'test/docker/sealed.sh');
  const places = [join(folder, 'package'), join(ROOT, 'node_modules'), process.execPath];
  const child = spawn('unshare', [...NAMESPACES, 'sh', script, ...places, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const finished = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(
    ([[code], stdout, stderr]) => ({ code: code as number, said: `${stdout}${stderr}` }),
  );
  return { child, finished };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

/** PID 1 of the namespace, by the number it has outside: the one child of unshare. */
function firstIn({ pid = 0 }: ChildProcess): number {
  const [first] = childrenOf(pid);
  if (first === undefined) throw new Error('it has not started');
  return first;
}

const node = (...args: string[]) => start(...args).finished;
const CONVOY = '/mnt/dist/bench/main.js';

describe.skipIf(!permitted)('the package under the seal of a container (needs root)', () => {
  it('really is sealed', async () => {
    const script = `
      const { execFileSync } = require('node:child_process');
      const fs = require('node:fs');
      const status = fs.readFileSync('/proc/self/status', 'utf8');
      const of = (name) => status.match(new RegExp('^' + name + ':\\\\s*(.*)$', 'm'))[1];
      const attempt = (what) => { try { what(); return 'done'; } catch (error) { return error.code; } };
      fs.writeFileSync('/tmp/program', '#!/bin/sh', { mode: 0o755 });
      console.log(JSON.stringify({
        pid: process.pid, uids: of('Uid'), effective: of('CapEff'), bounding: of('CapBnd'), noNewPrivileges: of('NoNewPrivs'),
        package: attempt(() => fs.writeFileSync('/mnt/new', '')), root: attempt(() => fs.writeFileSync('/usr/new', '')),
        results: attempt(() => fs.writeFileSync('new', '')), temporary: attempt(() => execFileSync('/tmp/program')),
      }));`;
    const { code, said } = await node('-e', script);
    expect({ code, ...JSON.parse(said) }).toEqual({
      code: 0,
      pid: 1,
      uids: '1000\t1000\t1000\t1000',
      effective: '0000000000000000',
      bounding: '0000000000000000',
      noNewPrivileges: '1',
      package: 'EROFS',
      root: 'EROFS',
      results: 'done',
      temporary: 'EACCES',
    });
  });

  it('measures cells of every server, on a CPU of its choice, and leaves the result on the volume', async () => {
    const cpu = parseCpuList(allowedCpus())?.[0] ?? 0;
    const cells = ['--policy', 'py32', '--messages', '5', '--rounds', '1', '--warmup', '20', '--budget', '1s'];
    const { code, said } = await node(CONVOY, 'bench', ...cells, '--server-cpus', `${cpu}`, '--json', 'result.json');
    expect(said).not.toMatch(/failed|could not/);
    expect(code).toBe(EXIT.ok);
    const { cells: measured } = resultSchema.parse(JSON.parse(readFileSync(inside('results/result.json'), 'utf8')));
    expect(measured.map(({ rounds }) => rounds[0]?.state)).toEqual(Array(10).fill('measured'));
  });

  it('serves a bench elsewhere, and as PID 1 ends by SIGTERM', async () => {
    writeFileSync(inside('results/token'), 'sixteen characters at least');
    const { child, finished } = start(CONVOY, 'serve', '--control', '127.0.0.1:0', '--token-file', 'token');
    const port = await new Promise<string>((resolve) => {
      child.stdout?.on('data', (line: Buffer) => resolve(/ port (\d+)/.exec(`${line}`)?.[1] ?? ''));
    });
    const cells = ['--server', 'blocking', '--policy', 'py32', '--messages', '5', '--rounds', '1', '--warmup', '20'];
    const bench = ['bench', '--connect', `127.0.0.1:${port}`, '--token-file', inside('results/token'), ...cells];
    expect(await convoy(...bench)).toMatchObject({ code: EXIT.ok });
    process.kill(firstIn(child), 'SIGTERM');
    expect(await finished).toMatchObject({ code: EXIT.ok });
  });

  it('interrupted in the middle of a cell, ends as well and keeps what it has measured', async () => {
    const long = ['--server', 'blocking', '--policy', 'py32', '--messages', '100000', '--budget', '50s'];
    const { child, finished } = start(CONVOY, 'bench', ...long, '--rounds', '1', '--json', 'stopped.json');
    // It has to have got as far as its server and its client.
    await vi.waitFor(() => expect(childrenOf(firstIn(child))).toHaveLength(2), 20_000);
    process.kill(firstIn(child), 'SIGTERM');
    const { code } = await finished;
    expect(code).toBe(EXIT.interrupted);
    expect(existsSync(inside('results/stopped.json'))).toBe(true);
  });
});
