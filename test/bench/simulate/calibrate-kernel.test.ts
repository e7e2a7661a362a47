import { expect, it } from 'vitest';
import { schedulerOf } from '../../../bench/simulate/calibrate-kernel.ts';

it.each([
  ['2.6.32', 'cfs'],
  ['5.15.0-113-generic', 'cfs'],
  ['6.5.13', 'cfs'],
  ['6.6.0', 'eevdf'],
  ['6.18.44-fc-v657', 'eevdf'],
  ['7.0.0-rc1', 'eevdf'],
])('Linux %s schedules by %s', (release, kind) => {
  expect(schedulerOf(release, 2).fairness.kind).toBe(kind);
});

it('slices are longer on more CPUs, up to eight', () => {
  const slices = [1, 2, 4, 8, 64].map((cpus) => schedulerOf('6.18.0', cpus).sliceNs);
  expect(slices).toEqual([700_000, 1_400_000, 2_100_000, 2_800_000, 2_800_000]);
});
