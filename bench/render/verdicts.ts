/** What became of the thresholds, a line each: always the limit and the value. */
import { METRICS } from '../figures/metrics.ts';
import type { Judgement } from '../figures/threshold.ts';
import { writeInterval, writeWithUnit } from './format.ts';

export function renderVerdicts(judgements: readonly Judgement[]): string {
  return judgements.map(line).join('\n');
}

function line({ threshold, verdict, value, interval }: Judgement): string {
  const { metric, text } = threshold;
  const measured =
    value === null
      ? 'not measured'
      : `${METRICS[metric].name} is ${writeWithUnit(metric, value)}, ${
          interval === null
            ? 'of one round, which cannot say how far the next would differ: --rounds 3 or more'
            : `95 % interval ${writeInterval(metric, interval)}`
        }`;
  return `${verdict.padEnd('inconclusive'.length)} ${text}: ${measured}`;
}
