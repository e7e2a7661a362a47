import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileInput } from './input.ts';
import { PORTS } from './ports.ts';
import { REGRESSIONS } from './regressions.ts';
import { storm } from './storm.ts';
import { kept } from './verdict.ts';

/** Enough for every kind of input to come many times. `npm run storm` sends more. */
const INPUTS = 250;

describe.each(PORTS)('the port of $name', (port) => {
  it('survives a storm of hostile connections, and serves its clients meanwhile', async () => {
    const report = await storm(port, INPUTS, 1);
    expect(report).toMatchObject({ failure: null, inputs: INPUTS });
    expect(report.rttNs.length).toBeGreaterThan(0);
    expect(report.answeredBytes).toBeGreaterThan(0);
    expect(kept(report)).toEqual([]);
  });

  const known = REGRESSIONS.filter(({ ports }) => ports.includes(port.name));
  it.runIf(known.length > 0)('survives what it once did not', async () => {
    for (const { seed, inputs } of known) expect(await storm(port, inputs, seed)).toMatchObject({ failure: null });
  });
});

describe('a seed', () => {
  it('makes the same inputs each time', () => {
    for (const { valid } of PORTS) {
      const sample = () => fc.sample(hostileInput(valid), { seed: 7, numRuns: 60 });
      expect(sample()).toEqual(sample());
    }
  });
});
