import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../bench/exit-codes.ts';
import { loadProfile, PROFILE_NAMES, type Profile, profileSchema } from '../../../bench/simulate/profile.ts';
import { Random } from '../../../bench/simulate/random.ts';
import { parseRange } from '../../../bench/simulate/ranges.ts';
import { parseShard } from '../../../bench/simulate/shard.ts';

describe('a range', () => {
  it.each([
    ['8', [8]],
    ['1,2,4,8', [1, 2, 4, 8]],
    ['1..4', [1, 2, 3, 4]],
    ['1..3,2..4,16', [1, 2, 3, 4, 16]],
  ])('%s', (text, numbers) => {
    expect(parseRange('cpus', text, 0, 64)).toEqual(numbers);
  });

  it.each(['', '0', '4..2', '65', '1..1000000000', '-1', '1.5', 'x', '1,,2'])('refuses «%s»', (text) => {
    expect(() => parseRange('cpus', text, 1, 64)).toThrow(UsageError);
  });
});

it.each(['0/4', '5/4', '1', '1/0', 'a/b'])('refuses the shard %s', (text) => {
  expect(() => parseShard(text)).toThrow(UsageError);
});

it('what is drawn of a distribution lies in it, and is a whole number', () => {
  const steps = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(fc.integer(), steps, (seed, values) => {
      values.sort((a, b) => a - b);
      const table = values.map((ns, i) => [i / (values.length - 1), ns] as const);
      const random = new Random(seed, 'a name');
      for (let i = 0; i < 20; i++) {
        const drawn = random.draw(table);
        expect(Number.isInteger(drawn)).toBe(true);
        expect(drawn).toBeGreaterThanOrEqual(values[0] as number);
        expect(drawn).toBeLessThanOrEqual(values.at(-1) as number);
      }
    }),
  );
});

it.each(PROFILE_NAMES)('the profile %s is whole', async (name) => {
  expect((await loadProfile(name)).name).toBe(name);
});

it.each<[string, (profile: Profile) => unknown, RegExp]>([
  [
    'a wait that is over before it has looked',
    ({ lock }) => ({ lock: { ...lock, futexWaitNs: Math.floor(lock.futexCallNs / 2) - 1 } }),
    /half of futexCallNs/,
  ],
  [
    'idle times that do not ascend',
    ({ scheduler }) => ({
      scheduler: { ...scheduler, idle: { ...scheduler.idle, asleep: scheduler.idle?.asleep.toReversed() } },
    }),
    /ascends/,
  ],
])('a profile is refused that says %s', async (_, changed, message) => {
  const profile = await loadProfile('this-machine');
  expect(profileSchema.safeParse(profile).success).toBe(true);
  expect(profileSchema.safeParse({ ...profile, ...Object(changed(profile)) }).error?.message).toMatch(message);
});

it('a profile that is not there, or not whole, is refused', async () => {
  await expect(loadProfile('nowhere')).rejects.toThrow(/there is no profile/);
  await expect(loadProfile('./package.json')).rejects.toThrow(/is no profile/);
});
