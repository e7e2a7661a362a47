/** The main job, by running it: short, on real sockets and threads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cell, type MeasuredRound, type Result, resultSchema } from '../../bench/result/result.ts';
import type { Counts } from '../../lock/counters.ts';
import { convoy, type Finished } from './convoy.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const readResult = (path: string): Result => resultSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
const cellOf = (result: Result, policy: string, scenario: string): Cell => {
  const cell = result.cells.find((each) => each.policy === policy && each.scenario === scenario);
  if (cell === undefined) throw new Error(`no cell ${policy} ${scenario}`);
  return cell;
};
const measured = (cell: Cell): MeasuredRound[] => cell.rounds.filter((round) => round.state === 'measured');
const serverCounts = ({ reading: { server } }: MeasuredRound): Counts => {
  if (server === null) throw new Error('our own servers count');
  return server;
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the loaded run', () => {
  const messages = 60;
  let finished: Finished;
  let result: Result;
  beforeAll(async () => {
    const json = join(folder, 'loaded.json');
    finished = await convoy(
      ...['--server', 'blocking', '--policy', 'py32,free-threaded', '--messages', `${messages}`],
      ...['--rounds', '2', '--warmup', '50', '--seed', '7', '--json', json],
    );
    result = readResult(json);
  }, 60_000);

  it('ends well, with every round of every cell measured in full', () => {
    expect(finished).toMatchObject({ code: 0 });
    expect(result.cells).toHaveLength(4);
    for (const cell of result.cells) {
      expect(cell.rounds.map((round) => round.state)).toEqual(['measured', 'measured']);
      for (const round of measured(cell)) {
        expect(round).toMatchObject({ ended: 'complete', connectionErrors: [] });
        expect(round.rttNs).toHaveLength(messages);
        expect(round.sentNs).toHaveLength(messages);
      }
    }
  });

  it('shows the convoy: a loaded message costs more than twice what it costs without a lock', () => {
    // 15 ms at worst and 5 ms mostly, against a fraction of one: even on a busy machine the ratio is far above 2.
    const perMessage = (policy: string) => mean(measured(cellOf(result, policy, 'loaded')).map((r) => mean(r.rttNs)));
    expect(perMessage('py32')).toBeGreaterThan(2 * perMessage('free-threaded'));
  });

  it('finds the reason in the lock: three transitions a message, and steals under py32 only', () => {
    for (const cell of result.cells) {
      for (const { transitions, steals } of measured(cell).map(serverCounts)) {
        expect(transitions / messages).toBeGreaterThan(2.8);
        expect(transitions / messages).toBeLessThan(3.2);
        if (cell.scenario === 'unloaded' || cell.policy === 'free-threaded') expect(steals).toBe(0);
      }
    }
    const stolen = measured(cellOf(result, 'py32', 'loaded')).map(serverCounts);
    expect(mean(stolen.map(({ steals }) => steals / messages))).toBeGreaterThan(0.5);
    for (const { waits, steals, waitBehindSpinnersNs, waitNs } of stolen) {
      expect(waits).toBeLessThanOrEqual(steals);
      expect(waitBehindSpinnersNs).toBeGreaterThan(0.9 * waitNs);
    }
  });

  it('splits a round trip into parts that do not exceed it, the most of it lock wait under py32', () => {
    for (const round of measured(cellOf(result, 'py32', 'loaded'))) {
      const { lockWaitNs, workNs } = round;
      if (lockWaitNs === null || workNs === null) throw new Error('our own servers know');
      for (const [i, rttNs] of round.rttNs.entries()) {
        expect((lockWaitNs[i] as number) + (workNs[i] as number)).toBeLessThanOrEqual(rttNs + 2);
      }
      expect(mean(lockWaitNs)).toBeGreaterThan(0.5 * mean(round.rttNs));
    }
  });

  it('tells what the CPU thread keeps, and that there was none when unloaded', () => {
    for (const round of measured(cellOf(result, 'py32', 'loaded'))) {
      const keeps = (round.spinnerRoundsPerSecond ?? 0) / (round.soloRoundsPerSecond ?? 1);
      expect(keeps).toBeGreaterThan(0.3);
      expect(keeps).toBeLessThan(1.5);
    }
    expect(measured(cellOf(result, 'py32', 'unloaded'))[0]).toMatchObject({ soloRoundsPerSecond: null });
  });

  it('prints the seed and every cell', () => {
    expect(finished.stdout).toContain('seed 7');
    for (const name of ['blocking', 'py32', 'free-threaded']) expect(finished.stdout).toContain(name);
  });

  it('reports on stderr a line for each cell, when that is no terminal', () => {
    expect(finished.stderr.match(/^\[\d\/8\] round [12]: \S+\/blocking (un)?loaded: 60 messages/gm)).toHaveLength(8);
  });

  it('carries its environment', () => {
    const { environment, argv } = result;
    expect(environment).toMatchObject({ node: process.version, v8: process.versions.v8 });
    expect(environment.cpuCount).toBeGreaterThan(0);
    expect(argv).toContain('py32,free-threaded');
  });
});

it('stops a cell at its time budget, and says from how many messages it is projected', async () => {
  const json = join(folder, 'budget.json');
  const { code, stdout } = await convoy(
    ...[
      '--server',
      'blocking',
      '--policy',
      'py32',
      '--messages',
      '100000',
      '--rounds',
      '1',
      '--budget',
      '300ms',
      '--json',
      json,
    ],
  );
  expect(code).toBe(0);
  const [round] = measured(cellOf(readResult(json), 'py32', 'loaded'));
  expect(round?.ended).toBe('budget');
  expect(round?.rttNs.length).toBeLessThan(100_000);
  expect(stdout).toMatch(/stopped at its time budget after \d+ of 100000 messages/);
});

it("runs a user's own policy beside the built-in ones", async () => {
  const path = join(folder, 'spin-lock.mjs');
  writeFileSync(
    path,
    `export default {
      name: 'spin-lock', summary: 'takes it or tries again', exclusive: true, words: { LOCKED: '0 free, 1 held' }, options: {},
      rules: ({ LOCKED }) => ({
        *acquire(m) { while ((yield m.compareExchange(LOCKED, 0, 1)) !== 0) yield m.wait(LOCKED, 1, 50_000); },
        *release(m) { yield m.store(LOCKED, 0); yield m.notify(LOCKED, 1); },
        yieldPoint: { kind: 'ticks', every: 1_000 },
      }),
    };`,
  );
  const { code, stdout } = await convoy('--server', 'blocking', '--policy', path, '--messages', '20', '--rounds', '1');
  expect(stdout).toContain('spin-lock');
  expect(code).toBe(0);
});

it('moves the CPU work into another process when offloaded: nothing is stolen', async () => {
  const json = join(folder, 'offloaded.json');
  const args = ['--server', 'blocking', '--policy', 'py32', '--messages', '50', '--rounds', '1', '--json', json];
  expect((await convoy(...args, '--scenario', 'offloaded')).code).toBe(0);
  const [round] = measured(cellOf(readResult(json), 'py32', 'offloaded'));
  expect(round?.reading.server?.steals).toBe(0);
  expect(round?.spinnerRoundsPerSecond).toBeGreaterThan(0);
});

it('shows the editor nobody can type in: a key lags far longer under py32 than when the CPU thread lowers its priority', async () => {
  const json = join(folder, 'gui.json');
  // Four CPU threads: with one it shares a CPU with the event loop as soon as anybody else uses the other.
  const args = ['--policy', 'py32,priority', '--spinners', '4', '--messages', '20', '--warmup', '10', '--json', json];
  expect((await convoy(...args, '--scenario', 'gui')).code).toBe(0);
  const lag = (policy: string) =>
    mean(measured(cellOf(readResult(json), policy, 'gui')).flatMap((round) => round.rttNs));
  expect(lag('py32')).toBeGreaterThan(2 * lag('priority'));
});
