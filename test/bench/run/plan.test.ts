import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf, planCells, planRounds } from '../../../bench/run/plan.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';

const policies = await Promise.all(['py32', 'free-threaded', 'py27'].map((name) => readPolicySpec(name)));

describe('the cells', () => {
  it('are every combination, with the unloaded one to compare with before the others', () => {
    const cells = planCells(['blocking'], policies.slice(0, 2), ['loaded']);
    expect(cells.map(nameOf)).toEqual([
      'py32/blocking unloaded',
      'py32/blocking loaded',
      'free-threaded/blocking unloaded',
      'free-threaded/blocking loaded',
    ]);
  });

  it('are there once, however often unloaded is asked for', () => {
    expect(planCells(['blocking'], policies.slice(0, 1), ['unloaded', 'loaded'])).toHaveLength(2);
  });
});

describe('the rounds', () => {
  const cells = planCells(['blocking', 'other'], policies, ['loaded']);

  it('measure every cell once each, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 5 }), (seed, rounds) => {
        const planned = planRounds(cells, rounds, seed);
        for (let round = 1; round <= rounds; round++) {
          const names = planned.filter((step) => step.round === round).map((step) => nameOf(step.cell));
          expect([...names].sort()).toEqual(cells.map(nameOf).sort());
        }
        expect(planned.map((step) => step.round)).toEqual([...planned.map((step) => step.round)].sort());
      }),
    );
  });

  it('follow from the seed alone, and differ between rounds and seeds', () => {
    const order = (seed: number, round: number) =>
      planRounds(cells, 2, seed)
        .filter((step) => step.round === round)
        .map((step) => nameOf(step.cell))
        .join();
    expect(order(1, 1)).toBe(order(1, 1));
    expect(order(1, 1)).not.toBe(order(1, 2));
    expect(order(1, 1)).not.toBe(order(2, 1));
  });
});
