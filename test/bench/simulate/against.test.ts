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
  expect(row('unloaded')).toContain('blocking py32 unloaded 100 100 to 100 200 2.00');
  expect(row('loaded')).toContain('blocking py32 loaded 4000 2000 to 5000 5000 1.25');
  expect(lines.at(-2)).toContain('off by 63 % in the median cell, 100 % in the worst, of 2');
  expect(lines.at(-1)).toContain('is off by 25 % in the median cell, 50 % in the worst');
});

it('leaves out a cell that was not simulated, and says so of a comparison without any', () => {
  const simulated = result([cell('py27/blocking loaded', roundsOf([1.2]))]);
  expect(renderComparison(compareWithMeasured(simulated, measured))).toMatch(/nothing to compare$/);
});
