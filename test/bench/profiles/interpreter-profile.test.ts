import { expect, it } from 'vitest';
import { calibrated, readDefaultProfile } from '../../../bench/profiles/interpreter-profile.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';

const profile = {
  ...readDefaultProfile(),
  parameters: { interpreterCostNs: 700, py27: { interpreterCostNs: 900, ticksPerLeaf: 16, ticksPerCall: 19 } },
};
const read = async (text: string, costIsGiven = false) => calibrated(await readPolicySpec(text), profile, costIsGiven);

it('gives py27 the work and the ticks of its own interpreter, and leaves its check what the source says', async () => {
  expect(await read('py27')).toMatchObject({
    ...profile.parameters.py27,
    options: { check: 100 },
    label: 'py27',
  });
});

it('gives no other policy anything of that', async () => {
  for (const text of ['py32', 'priority', 'pypy16', 'free-threaded']) {
    expect(await read(text)).toEqual(await readPolicySpec(text));
  }
});

it('leaves alone what was written, also where it is the default', async () => {
  expect(await read('py27(check=100)')).toMatchObject({ options: { check: 100 } });
  expect(await read('py27(check=41)')).toMatchObject({ options: { check: 41 }, ticksPerLeaf: 16 });
  expect(await read('py27(tick=40ns)')).toMatchObject({ interpreterCostNs: 900, tickNs: 40, ticksPerCall: 19 });
});

it('counts work whose length was written in ticks of a CPU thread', async () => {
  const written = await read('py27(interpreter-cost=10us)');
  expect(written).toMatchObject({ interpreterCostNs: 10_000, ticksPerLeaf: 16 });
  expect(written.ticksPerCall).toBeUndefined();
  const given = await read('py27', true);
  expect(given).toMatchObject({ ticksPerLeaf: 16 });
  expect([given.interpreterCostNs, given.ticksPerCall]).toEqual([undefined, undefined]);
});
