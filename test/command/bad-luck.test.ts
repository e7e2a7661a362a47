/** Whatever happens to a run: one clear message, what is finished is kept, no process is left. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { close, listen, portOf } from '../../net/posix.ts';
import { Convoy } from './convoy.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-bad-luck-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two cells; by this seed the unloaded one is first, and short. The loaded one goes on for seconds. */
const RUN = [
  '--server',
  'blocking',
  '--policy',
  'py32',
  '--messages',
  '500',
  '--rounds',
  '1',
  '--seed',
  '2',
  '--budget',
  '20s',
];

const finishedCells = (stderr: string) => stderr.match(/^\[\d+\/\d+\] round/gm)?.length ?? 0;
const measuredIn = (path: string) =>
  resultSchema
    .parse(JSON.parse(readFileSync(path, 'utf8')))
    .cells.flatMap(({ rounds }) => rounds)
    .filter(({ state }) => state === 'measured').length;

/** Waits until a process of the second cell runs. */
async function secondCell(run: Convoy, kind: 'server' | 'client'): Promise<number> {
  await run.until(() => finishedCells(run.stderr) === 1);
  await run.until(() => run.processes(kind).length === 1);
  return run.processes(kind)[0] as number;
}

describe('a process killed in mid-run', () => {
  it.each(['server', 'client'] as const)('%s: the cell fails and says so, the other one is kept', async (kind) => {
    const json = join(folder, `${kind}.json`);
    const run = new Convoy(...RUN, '--json', json);
    const pid = await secondCell(run, kind);
    await delay(300);
    process.kill(pid, 'SIGKILL');
    const { code, stdout, stderr } = await run.finished();
    expect(stderr).toMatch(
      new RegExp(`failed round 1: py32/blocking (un)?loaded: the ${kind}'s process ended by SIGKILL`),
    );
    expect(stdout).toContain('failed');
    expect(code).toBe(EXIT.cellFailed);
    expect(measuredIn(json)).toBe(1);
    expect(await run.leftovers()).toEqual([]);
  });

  it('bench itself: the processes it started do not outlive it, and what was finished is in the file', async () => {
    const json = join(folder, 'bench.json');
    const run = new Convoy(...RUN, '--json', json);
    await secondCell(run, 'server');
    await delay(200);
    run.process.kill('SIGKILL');
    await run.finished();
    expect(await run.leftovers()).toEqual([]);
    expect(measuredIn(json)).toBe(1);
  });
});

describe('Ctrl-C', () => {
  it('ends the cell in an orderly way, reports what was finished, and frees the port', async () => {
    const json = join(folder, 'interrupted.json');
    const reserved = listen({ host: '127.0.0.1', port: 0 });
    const port = portOf(reserved);
    close(reserved);
    const run = new Convoy(...RUN, '--json', json, '--port', `${port}`);
    await secondCell(run, 'client');
    await delay(300);
    run.process.kill('SIGINT');
    const { code, stdout, stderr } = await run.finished();
    expect(stderr).toContain('interrupted: ending the cell');
    expect(stdout).toContain('interrupted: only what was finished is shown');
    expect(code).toBe(EXIT.interrupted);
    expect(measuredIn(json)).toBe(1);
    expect(await run.leftovers()).toEqual([]);
    close(listen({ host: '127.0.0.1', port }));
  });

  it.each([0, 20, 60, 120, 250, 500, 900])(
    '%i ms after the start, and once more, leaves nothing behind',
    async (afterMs) => {
      const json = join(folder, `twice-${afterMs}.json`);
      const run = new Convoy(...RUN, '--json', json);
      // Before the program has begun to listen for it the signal ends it, as it ends any program.
      await run.until(() => run.processes().length > 0);
      await delay(afterMs);
      run.process.kill('SIGINT');
      await delay(30);
      run.process.kill('SIGINT');
      const { code } = await run.finished();
      expect([EXIT.interrupted, null]).toContain(code);
      expect(await run.leftovers()).toEqual([]);
      if (existsSync(json)) resultSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
    },
  );
});

it('a server that is stopped for a while does not hold up the run for ever', async () => {
  const run = new Convoy(...RUN.slice(0, -1), '500ms');
  const pid = await secondCell(run, 'server');
  await delay(600);
  process.kill(pid, 'SIGSTOP');
  // Longer than the three budgets after which the client gives up.
  await delay(2_000);
  process.kill(pid, 'SIGCONT');
  const { code } = await run.finished();
  expect([EXIT.ok, EXIT.cellFailed]).toContain(code);
  expect(await run.leftovers()).toEqual([]);
});
