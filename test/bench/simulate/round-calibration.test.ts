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

it('has each round in the profile that is there after it', async () => {
  const path = join(folder, 'each.json');
  const said: string[] = [];
  const calibration = new RoundCalibration(path, (line) => said.push(line), calibrationOf([undefined, undefined]));
  for (const round of [1, 2]) {
    await calibration.before(round, never);
    expect(await loadProfile(path)).toMatchObject({ summary: `measured ${round} times` });
  }
  expect(said).toEqual([]);
});

it('says which round it has not, and why, and goes on', async () => {
  const path = join(folder, 'most.json');
  const said: string[] = [];
  const rounds = calibrationOf([undefined, 'no sockets left', undefined]);
  const calibration = new RoundCalibration(path, (line) => said.push(line), rounds);
  for (const round of [1, 2, 3]) await calibration.before(round, never);
  expect(said).toEqual([`round 2 is not in ${path}: no sockets left`]);
  expect(await loadProfile(path)).toMatchObject({ summary: 'measured 2 times' });
});

it('says of a file that cannot be written that the run goes on', async () => {
  const said: string[] = [];
  const calibration = new RoundCalibration('/proc/nowhere.json', (line) => said.push(line), calibrationOf([undefined]));
  await calibration.before(1, never);
  expect(said).toEqual([expect.stringMatching(/nowhere\.json could not be written: .*; the run goes on/)]);
});

it('ends with the run that is interrupted, and has nothing to say then', async () => {
  const path = join(folder, 'interrupted.json');
  const said: string[] = [];
  const calibration = new RoundCalibration(path, (line) => said.push(line), calibrationOf([undefined]));
  await calibration.before(1, AbortSignal.abort());
  expect(said).toEqual([]);
  expect(() => readFileSync(path)).toThrow('ENOENT');
});
