import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Progress } from '../../../bench/run/progress.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { RoundCalibration } from '../../../bench/simulate/round-calibration.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-rounds-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const profile = await loadProfile('this-machine');
const never = new AbortController().signal;

/** A run's progress, and all that it writes: on a terminal what changes, too. */
function progressOn({ isTTY }: { isTTY: boolean }) {
  const written: string[] = [];
  return { written, progress: new Progress(2, { isTTY, write: (text) => void written.push(text) }) };
}

/** A calibration whose rounds are these: what each throws, undefined: nothing. */
function calibrationOf(rounds: readonly (string | undefined)[]) {
  let done = 0;
  let measured = 0;
  return {
    async sample(tell: (what: string) => void) {
      tell('steps');
      const failure = rounds[done++];
      if (failure !== undefined) throw new Error(failure);
      measured++;
    },
    profile: async () => ({ ...profile, summary: `measured ${measured} times` }),
  };
}

it('tells what it measures, and has each round in the profile that is there after it', async () => {
  const path = join(folder, 'each.json');
  const { written, progress } = progressOn({ isTTY: true });
  const calibration = new RoundCalibration(path, calibrationOf([undefined, undefined]));
  for (const round of [1, 2]) {
    await calibration.before(round, progress, never);
    expect(await loadProfile(path)).toMatchObject({ summary: `measured ${round} times` });
  }
  const shown = (round: number) => expect.stringContaining(`round ${round}: calibrating: steps`);
  expect(written).toEqual([shown(1), shown(2)]);
});

it('says which round it has not, and why, and goes on', async () => {
  const path = join(folder, 'most.json');
  const { written, progress } = progressOn({ isTTY: false });
  const calibration = new RoundCalibration(path, calibrationOf([undefined, 'no sockets left', undefined]));
  for (const round of [1, 2, 3]) await calibration.before(round, progress, never);
  expect(written).toEqual([`round 2 is not in ${path}: no sockets left\n`]);
  expect(await loadProfile(path)).toMatchObject({ summary: 'measured 2 times' });
});

it('says of a file that cannot be written that the run goes on', async () => {
  const { written, progress } = progressOn({ isTTY: false });
  await new RoundCalibration('/proc/nowhere.json', calibrationOf([undefined])).before(1, progress, never);
  expect(written).toEqual([expect.stringMatching(/nowhere\.json could not be written: .*; the run goes on/)]);
});

it('ends with the run that is interrupted, and has nothing to say then', async () => {
  const path = join(folder, 'interrupted.json');
  const { written, progress } = progressOn({ isTTY: true });
  await new RoundCalibration(path, calibrationOf([undefined])).before(1, progress, AbortSignal.abort());
  expect(written).toEqual([]);
  expect(() => readFileSync(path)).toThrow('ENOENT');
});
