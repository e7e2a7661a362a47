import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resultSchema } from '../../bench/result/result.ts';
import { EVENT } from '../../lock/timeline.ts';
import { readTrace } from '../bench/render/chrome-trace.ts';
import { measured, result } from '../bench/result-builder.ts';
import { convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'convoy-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'utf8');

describe('bench --trace', () => {
  it('records every policy on real threads, each in one state at a time', async () => {
    const { code } = await convoy(
      ...['--server', 'blocking', '--messages', '30', '--warmup', '100', '--budget', '1s', '--quiet'],
      ...['--json', at('all.json'), '--trace', at('all.trace.json')],
    );
    expect(code).toBe(0);
    const { cells } = resultSchema.parse(JSON.parse(read('all.json')));
    expect(cells).toHaveLength(10);
    for (const { rounds, policy } of cells) {
      const [round] = rounds;
      if (round?.state !== 'measured') throw new Error(`${policy} was not measured`);
      expect(round.timeline?.threads.map(({ lostEvents }) => lostEvents).every((lost) => lost >= 0)).toBe(true);
    }
    const { threads } = readTrace(read('all.trace.json'));
    expect(threads.map(({ process }) => process)).toContain('py32/blocking loaded');
    expect(new Set(threads.map(({ process }) => process)).size).toBe(10);
  });

  it('one slow message is told as the slide draws it', async () => {
    const { code, stdout } = await runHere('trace', at('all.json'), '--cell', 'py32/blocking/loaded');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^py32\/blocking loaded: message \d+ of 30, 99 % were no slower$/m);
    expect(stdout).toMatch(/release\n.*recv {2}[\d.]+ ms/);
    expect(stdout).toMatch(/\*waits [\d.]+ ms for the lock\*.*asleep.* CPU thread 1 \(\d+ %\)\n.*acquire/);
  });

  it('by default that of the loaded cell with the longest p99', async () => {
    expect((await runHere('trace', at('all.json'))).stdout).toMatch(/^\S+\/blocking loaded: message/);
    const second = await runHere('trace', at('all.json'), '--cell', 'py27/blocking/unloaded', '--message', '2');
    expect(second.stdout).toMatch(/^py27\/blocking unloaded: message 2 of 30, as asked for$/m);
  });

  it('writes the trace again from the result', async () => {
    expect(await runHere('trace', at('all.json'), '-o', at('again.json'))).toMatchObject({ code: 0, stdout: '' });
    expect(read('again.json')).toBe(read('all.trace.json'));
  });

  it('a full ring says how many events it lost, and from when on all is there', async () => {
    await convoy(
      ...['--server', 'blocking', '--policy', 'py32', '--scenario', 'unloaded', '--delay', '0', '--messages', '6000'],
      ...['--budget', '10s', '--quiet', '--json', at('full.json'), '--trace', at('full.trace.json')],
    );
    const [cell] = resultSchema.parse(JSON.parse(read('full.json'))).cells;
    const [round] = cell?.rounds ?? [];
    if (round?.state !== 'measured' || round.timeline === undefined) throw new Error('not measured');
    const { fromNs, threads } = round.timeline;
    const served = threads.find(({ name }) => name === 'connection 1');
    const calls = served?.event.filter((word) => word === EVENT.call).length ?? 0;
    expect(fromNs).toBeGreaterThan(0);
    // Each of three calls a message is at least a call and a run.
    expect((served?.lostEvents ?? 0) + (served?.atNs.length ?? 0)).toBeGreaterThan(6_000 * 3 * 2 * 0.99);
    expect(calls).toBeGreaterThan(5_000);
    expect(
      readTrace(read('full.trace.json')).threads.some(({ name }) => /connection 1, \d+ events lost/.test(name)),
    ).toBe(true);
    const first = await runHere('trace', at('full.json'), '--message', '1');
    expect(first).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/message 1 was overwritten: messages \d+ to 6000/),
    });
  });
});

it('simulate --trace writes the same, the same again', async () => {
  const small = ['simulate', '--server', 'nonblocking', '--policy', 'py32', '--messages', '20'];
  for (const name of ['a', 'b']) expect(await convoy(...small, '--trace', at(name))).toMatchObject({ code: 0 });
  expect(read('a')).not.toBe('');
  const events = (name: string) => read(name).slice(read(name).indexOf('traceEvents'));
  expect(events('a')).toBe(events('b'));
  expect(readTrace(read('a')).arrows.length).toBeGreaterThan(0);
});

describe('refused', () => {
  it.each([
    [['--cell', 'py99/blocking/loaded'], /there is no cell «py99.*there are/],
    [['--message', 'fastest'], /p99, slowest, median or a number/],
    [['--cell', 'py27/blocking/unloaded', '--message', '999'], /--message is a whole number from 1 to 30/],
  ])('%s', async (args, message) => {
    const refused = await runHere('trace', at('all.json'), ...args);
    expect(refused).toMatchObject({ code: 64, stderr: expect.stringMatching(message) });
  });

  it('a result without a timeline', async () => {
    writeFileSync(
      at('none.json'),
      JSON.stringify(result([{ server: 'blocking', policy: 'py32', scenario: 'loaded', rounds: [measured()] }])),
    );
    const refused = await runHere('trace', at('none.json'));
    expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining('record one with --timeline') });
  });
});
