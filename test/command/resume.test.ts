/** What a run leaves on the disk when it does not come to its end, and how it goes on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { readResult } from '../../bench/result/result-file.ts';
import { journalPath, readJournal } from '../../bench/run/journal.ts';
import { Convoy, convoy, MAIN } from './convoy.ts';
import { Killer } from './kill-runs.ts';
import { runHere } from './run-here.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-resume-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const CELL = ['--server', 'blocking', '--policy', 'py32', '--scenario', 'unloaded', '--warmup', '10', '--delay', '0'];
const RUN = [...CELL, '--messages', '20'];
const finished = (stderr: string) => [...stderr.matchAll(/^\[\d+\/\d+\] (round \d+)/gm)].map(([, round]) => round);

describe('a run that was killed', () => {
  it('goes on where it was, by --resume alone, and its result is as if nothing had happened', async () => {
    const json = join(folder, 'killed.json');
    const run = new Convoy(...RUN, '--rounds', '4', '--seed', '5', '--json', json);
    await run.until(() => finished(run.stderr).length >= 2);
    run.process.kill('SIGKILL');
    await run.finished();
    const before = await readJournal(json);
    expect(before.entries.length).toBeGreaterThanOrEqual(2);
    expect((await readResult(json)).interrupted).toBe(true);

    const { code, stderr } = await convoy('--resume', json);
    expect(code, stderr).toBe(EXIT.ok);
    const result = await readResult(json);
    expect(result).toMatchObject({ rounds: 4, seed: 5, interrupted: false, leafNs: before.header.leafNs });
    expect(result.cells[0]?.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);
    for (const { round } of before.entries) expect(result.cells[0]?.rounds).toContainEqual(round);
    expect(finished(stderr)).toHaveLength(4 - before.entries.length);
    expect(existsSync(journalPath(json))).toBe(false);
  });

  it('does not go on with other options: it is said which, and nothing is measured', async () => {
    const json = join(folder, 'other.json');
    const run = new Convoy(...RUN, '--rounds', '6', '--json', json);
    await run.until(() => finished(run.stderr).length >= 1);
    run.process.kill('SIGINT');
    expect((await run.finished()).stderr).toContain(`--resume ${json} measures what is missing`);
    const before = readFileSync(journalPath(json), 'utf8');
    const { code, stdout, stderr } = await convoy('--resume', json, '--messages', '21', '--policy', 'py27');
    expect(stderr).toMatch(/messages: 20 there, 21 here/);
    expect(stderr).toMatch(/policies: .*py32.* there, .*py27.* here/);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
    expect(await convoy('--resume', json, '--calibrate', join(folder, 'machine.json'))).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('--calibrate is of this machine, and of a run from its first round on'),
    });
    expect(readFileSync(journalPath(json), 'utf8')).toBe(before);
  });

  it.each([
    [['--resume', 'nowhere.json'], /there is no nowhere\.json\.journal/],
    [['--resume', 'a.json', '--resume', 'b.json'], /--resume is given more than once/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await runHere(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.usage);
  });
});

describe('a disk that is full', () => {
  // Each round makes the files 6 KiB longer: the first is kept, whatever becomes of the next.
  const ROUNDS = 3;
  const MANY = [...CELL, '--messages', '200', '--rounds', `${ROUNDS}`, '--json', 'full.json'];
  const said = /full\.json could not be written: .*what was written before is whole, and the run goes on/;

  function expectKept(where: string, { status, stdout, stderr }: ReturnType<typeof spawnSync>) {
    expect(String(stderr)).toMatch(said);
    // Once while it goes on, once at the end.
    expect(String(stderr).match(/could not be written/g)?.length).toBeLessThanOrEqual(4);
    expect(String(stdout)).toContain('unloaded: round trip');
    expect(status, String(stderr)).toBe(EXIT.notWritten);
    return join(where, 'full.json');
  }

  it('ends no run: the tables are there, the files are whole as they were, and --resume measures the rest', async () => {
    const where = join(folder, 'limited');
    mkdirSync(where);
    // No file may grow beyond 10 KiB; the kernel says EFBIG.
    const command = `ulimit -f 10; exec "$0" "$@"`;
    const run = spawnSync('bash', ['-c', command, process.execPath, MAIN, ...MANY], { cwd: where, encoding: 'utf8' });
    const json = expectKept(where, run);
    const kept = await readJournal(json);
    expect(kept.entries.length).toBeGreaterThan(0);
    expect(kept.entries.length).toBeLessThan(ROUNDS);
    expect((await readResult(json)).cells[0]?.rounds.length).toBeGreaterThan(0);
    const { code, stderr } = await convoy('--resume', json);
    expect(code, stderr).toBe(EXIT.ok);
    expect(finished(stderr)).toHaveLength(ROUNDS - kept.entries.length);
  });

  const inNamespace = ['--map-root-user', '--mount', '--kill-child', 'bash', '-c'];
  const permitted = spawnSync('unshare', [...inNamespace, 'mount -t tmpfs tmpfs /mnt']).status === 0;

  it.skipIf(!permitted)('of 28 KiB, really: ENOSPC is said, and the earlier file stays', async () => {
    const where = join(folder, 'tmpfs');
    mkdirSync(where);
    const script = `mount -t tmpfs -o size=28k tmpfs ${where} && cd ${where} && "$0" "$@"; code=$?
      mkdir ../left; cp full.json full.json.journal ../left; ls -A > ../left/all; exit $code`;
    const run = spawnSync('unshare', [...inNamespace, script, process.execPath, MAIN, ...MANY], { encoding: 'utf8' });
    expect(String(run.stderr)).toMatch(/ENOSPC/);
    const json = expectKept(join(folder, 'left'), run);
    expect((await readResult(json)).cells[0]?.rounds.length).toBeGreaterThan(0);
    expect((await readJournal(json)).entries.length).toBeGreaterThan(0);
    expect(readFileSync(join(folder, 'left/all'), 'utf8').split('\n').filter(Boolean)).toEqual([
      'full.json',
      'full.json.journal',
    ]);
  });

  it('at the end, when --csv and --markdown are written, is said too', async () => {
    const where = join(folder, 'end');
    mkdirSync(where);
    const outputs = ['--csv', 'a.csv', '--markdown', 'a.md'];
    const command = `ulimit -f 1; exec "$0" "$@"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, MAIN, ...RUN, ...outputs], {
      cwd: where,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/a\.md could not be written/);
    expect(stdout).toContain('unloaded: round trip');
    expect(status).toBe(EXIT.notWritten);
  });
});

it('a folder that is taken away while the run goes on ends no run', async () => {
  const where = join(folder, 'gone');
  mkdirSync(where);
  const run = new Convoy(...RUN, '--rounds', '3', '--json', join(where, 'a.json'));
  await run.until(() => finished(run.stderr).length >= 1);
  execFileSync('rm', ['-r', where]);
  const { code, stdout, stderr } = await run.finished();
  expect(stderr).toMatch(/a\.json could not be written: ENOENT/);
  expect(stdout).toContain('unloaded: round trip');
  expect(code).toBe(EXIT.notWritten);
});

it('a journal that is no journal is not written over without a word', async () => {
  const json = join(folder, 'there.json');
  writeFileSync(journalPath(json), 'notes of mine');
  const { stderr } = await convoy(...RUN, '--json', json);
  expect(stderr).toContain(`the journal of an unfinished run is now ${journalPath(json)}.old`);
  expect(readFileSync(`${journalPath(json)}.old`, 'utf8')).toBe('notes of mine');
});

// `npm run kills` makes hundreds.
it('4 runs, each with a random process killed at a random moment: none hangs, none leaves a process or loses a round', async () => {
  const killer = new Killer(folder, Math.floor(Math.random() * 2 ** 31));
  await killer.measure();
  for (let run = 0; run < 4; run++) expect((await killer.kill(run % 3 === 0)).faults).toEqual([]);
}, 180_000);
