import { expect, it } from 'vitest';
import { compareWithMeasured, renderComparison } from '../../../bench/simulate/against.ts';
import { cell, result, roundsOf } from '../result-builder.ts';

const measured = result([
  cell('py32/blocking unloaded', roundsOf([1.1, 1.1, 1.1])),
  cell('py32/blocking loaded', roundsOf([3.1, 6.1, 5.1])),
]);

it('compares what a message takes more than unloaded, and says how far the rounds of the measurement are from each other', () => {
  const simulated = result([
    cell('py32/blocking unloaded', roundsOf([1.2])),
    cell('py32/blocking loaded', roundsOf([6.2])),
  ]);
  const lines = renderComparison(compareWithMeasured(simulated, measured)).split('\n');
  const row = (scenario: string) => lines.find((line) => line.includes(` ${scenario} `))?.replace(/[^\w÷.]+/g, ' ');
  expect(row('unloaded')).toContain('blocking py32 unloaded 100 100 to 100 100 to 100 200 2.00');
  expect(row('loaded')).toContain('blocking py32 loaded 4000 2000 to 5000 2000 to 5000 5000 1.25');
  expect(lines.at(-3)).toContain('off by 63 % in the median cell, 100 % in the worst, of 2');
  expect(lines.at(-2)).toContain('is off by 25 % in the median cell, 50 % in the worst');
});

it('says which cells are far off, and which are whatever the rounds of the measurement could have been', () => {
  const simulated = result([
    cell('py32/blocking unloaded', roundsOf([1.2])),
    cell('py32/blocking loaded', roundsOf([11.2])),
  ]);
  const lines = renderComparison(compareWithMeasured(simulated, measured)).split('\n');
  expect(lines.at(-1)).toBe(
    'off by more than 40 %: py32/blocking unloaded, py32/blocking loaded; whatever their rounds could have been (95 %), 2: py32/blocking unloaded, py32/blocking loaded',
  );
  const wide = result([
    cell('py32/blocking unloaded', roundsOf([1.2, 1.2, 1.2])),
    cell('py32/blocking loaded', roundsOf([1.4, 9, 12])),
  ]);
  const slower = result([
    cell('py32/blocking unloaded', roundsOf([1.2])),
    cell('py32/blocking loaded', roundsOf([3.2])),
  ]);
  expect(renderComparison(compareWithMeasured(slower, wide)).split('\n').at(-1)).toBe(
    'off by more than 40 %: py32/blocking loaded; whatever their rounds could have been (95 %), 0',
  );
});

it('leaves out a cell that was not simulated, and says so of a comparison without any', () => {
  const simulated = result([cell('py27/blocking loaded', roundsOf([1.2]))]);
  expect(renderComparison(compareWithMeasured(simulated, measured))).toMatch(/nothing to compare$/);
});

it('holds each round against the unloaded one of the same round, so that what drifts on the machine is in both', () => {
  const drifting = result([
    cell('py32/blocking unloaded', roundsOf([1.1, 1.5, 1.9])),
    cell('py32/blocking loaded', roundsOf([2.1, 2.5, 2.9])),
  ]);
  const { cells } = compareWithMeasured(drifting, drifting);
  const { measured: excess } = cells.find(({ scenario }) => scenario === 'loaded') ?? {};
  for (const ns of [excess?.min, excess?.median, excess?.max]) expect(ns).toBeCloseTo(1e6);
});

/** Two policies of one server, by what their messages take in each round, ms; unloaded 1.1. */
const twoPolicies = (first: readonly number[], second: readonly number[]) =>
  result([
    cell('py27/zeromq unloaded', roundsOf(first.map(() => 1.1))),
    cell('py27/zeromq loaded', roundsOf(first)),
    cell('priority/zeromq unloaded', roundsOf(second.map(() => 1.1))),
    cell('priority/zeromq loaded', roundsOf(second)),
  ]);

it('names two policies that are simulated in the other order', () => {
  const compared = compareWithMeasured(twoPolicies([1.4], [1.25]), twoPolicies([1.2, 1.3, 1.2], [1.5, 1.6, 1.7]));
  const lines = renderComparison(compared).split('\n');
  expect(lines.at(-2)).toMatch(
    /of 1 pairs of whose order the measured rounds leave no doubt \(95 %\), of 1, 0 are simulated in it/,
  );
  expect(lines.at(-1)).toContain('not zeromq loaded: py27 before priority by 300 µs, simulated by -150');
});

it.each([
  { measured: twoPolicies([1.2, 1.3, 1.2], [1.5, 1.6, 1.7]), policies: ['py27', 'priority'], simulatedNs: -150e3 },
  { measured: twoPolicies([1.5, 1.6, 1.7], [1.2, 1.3, 1.2]), policies: ['priority', 'py27'], simulatedNs: 150e3 },
])('has the policy first that is measured to be, whichever is named first: $policies', ({ measured, ...expected }) => {
  const [pair] = compareWithMeasured(twoPolicies([1.4], [1.25]), measured).pairs;
  expect(pair?.policies).toEqual(expected.policies);
  expect(pair?.simulatedNs).toBeCloseTo(expected.simulatedNs);
  expect(pair?.measuredNs).toBeGreaterThan(0);
});

it('asks no order of a simulation that the rounds of the measurement do not have', () => {
  const simulated = twoPolicies([1.4], [1.25]);
  for (const measured of [twoPolicies([1.2, 1.9, 1.2], [1.5, 1.6, 1.7]), twoPolicies([1.2], [1.5])]) {
    expect(compareWithMeasured(simulated, measured)).toMatchObject({ pairs: [], allPairs: 1 });
  }
});

it('compares the order of policies of one server alone, and not unloaded', () => {
  const servers = result([
    ...twoPolicies([1.4], [1.25]).cells,
    cell('py27/blocking unloaded', roundsOf([1.1])),
    cell('py27/blocking loaded', roundsOf([1.2])),
  ]);
  expect(compareWithMeasured(servers, servers).allPairs).toBe(1);
});
