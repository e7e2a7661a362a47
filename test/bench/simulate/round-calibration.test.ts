import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { RoundCalibration } from '../../../bench/simulate/round-calibration.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-rounds-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const profile = await loadProfile('this-machine');
const never = new AbortController().signal;

/** Hears what a run is told. */
function listener() {
  const heard: string[] = [];
  const preparing = (round: number, what: string) => void heard.push(`${round}: ${what}`);
  const said: string[] = [];
  return { heard, said, progress: { preparing, say: (line: string) => void said.push(line) } };
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
  const { heard, said, progress } = listener();
  const calibration = new RoundCalibration(path, calibrationOf([undefined, undefined]));
  for (const round of [1, 2]) {
    await calibration.before(round, progress, never);
    expect(await loadProfile(path)).toMatchObject({ summary: `measured ${round} times` });
  }
  expect(heard).toEqual(['1: calibrating: steps', '2: calibrating: steps']);
  expect(said).toEqual([]);
});

it('says which round it has not, and why, and goes on', async () => {
  const path = join(folder, 'most.json');
  const { said, progress } = listener();
  const calibration = new RoundCalibration(path, calibrationOf([undefined, 'no sockets left', undefined]));
  for (const round of [1, 2, 3]) await calibration.before(round, progress, never);
  expect(said).toEqual([`round 2 is not in ${path}: no sockets left`]);
  expect(await loadProfile(path)).toMatchObject({ summary: 'measured 2 times' });
});

it('says of a file that cannot be written that the run goes on', async () => {
  const { said, progress } = listener();
  await new RoundCalibration('/proc/nowhere.json', calibrationOf([undefined])).before(1, progress, never);
  expect(said).toEqual([expect.stringMatching(/nowhere\.json could not be written: .*; the run goes on/)]);
});

it('ends with the run that is interrupted, and has nothing to say then', async () => {
  const path = join(folder, 'interrupted.json');
  const { heard, said, progress } = listener();
  await new RoundCalibration(path, calibrationOf([undefined])).before(1, progress, AbortSignal.abort());
  expect([...heard, ...said]).toEqual([]);
  expect(() => readFileSync(path)).toThrow('ENOENT');
});
