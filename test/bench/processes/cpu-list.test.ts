import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedCpus, formatCpuList, parseCpuList, whyNotOn } from '../../../bench/processes/cpu-list.ts';

describe('a list of CPUs', () => {
  it('is written so that it is read the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1_023), { minLength: 1 }), (cpus) => {
        const sorted = cpus.sort((a, b) => a - b);
        expect(parseCpuList(formatCpuList(sorted))).toEqual(sorted);
      }),
    );
  });

  it.each([
    ['0', [0]],
    ['0,2-3', [0, 2, 3]],
    ['3,1-2,2', [1, 2, 3]],
    [' 1 , 2', [1, 2]],
  ])('«%s» is read as people mean it', (text, cpus) => {
    expect(parseCpuList(text)).toEqual(cpus);
  });

  it.each(['', 'all', '1-', '-1', '3-2', '0;1', '1024', '0-99999', '0x1'])('«%s» is none', (text) => {
    expect(parseCpuList(text)).toBeUndefined();
  });

  it('is refused where one of its CPUs is not', () => {
    expect(whyNotOn(allowedCpus())).toBeNull();
    expect(whyNotOn(`${allowedCpus()},1000-1001`)).toMatch(/^CPU 1000-1001 is not there, or not allowed/);
  });
});
