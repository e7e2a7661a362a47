/** What the documentation lists is what there is. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { METRICS } from '../../bench/figures/metrics.ts';
import { reportOf } from '../../bench/render/report.ts';
import { SCENARIOS, warningSchema } from '../../bench/result/result.ts';
import { wideResult } from './result-builder.ts';

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const reading = read('READING-RESULTS.md');

it.each(Object.keys(METRICS))('READING-RESULTS.md explains the metric %s', (name) => {
  expect(reading).toContain(`\`${name}\``);
});

it.each(warningSchema.shape.kind.options)('READING-RESULTS.md says what to do about the warning %s', (kind) => {
  expect(reading).toContain(`| ${kind} |`);
});

it('READING-RESULTS.md names every column of the tables', () => {
  const { details } = reportOf(wideResult(['py32']));
  const columns = new Set(details.flatMap(({ head, keys }) => head.slice(keys)));
  // Percentiles and the lengths of waits are explained as ranges.
  const inRange = /^(p90|p99|slow: .*|< .*|longer)$/;
  const missing = [...columns].filter((column) => !inRange.test(column) && !reading.includes(column));
  expect(missing).toEqual([]);
});

it('READING-RESULTS.md gives the exit code of each verdict', () => {
  expect(reading).toMatch(new RegExp(`\\| pass \\|.*\\| ${EXIT.ok} \\|`));
  expect(reading).toMatch(new RegExp(`\\| fail \\|.*\\| ${EXIT.thresholdFailed} \\|`));
  expect(reading).toMatch(new RegExp(`\\| inconclusive \\|.*\\| ${EXIT.inconclusive} \\|`));
});

it.each(SCENARIOS)('METHOD.md says what the scenario %s is', (scenario) => {
  expect(read('METHOD.md')).toContain(`| ${scenario} |`);
});
