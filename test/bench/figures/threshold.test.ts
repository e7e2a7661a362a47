import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../bench/exit-codes.ts';
import { summarize } from '../../../bench/figures/summary.ts';
import { formatLimit, judge, type NamedCell, readThreshold } from '../../../bench/figures/threshold.ts';
import { renderVerdicts } from '../../../bench/render/verdicts.ts';
import { cell, measured, roundsOf } from '../result-builder.ts';

const LABEL = 'py32(interval=1ms,keep-lock-on=nonblocking)';
const PLAN: readonly NamedCell[] = ['priority', LABEL].flatMap((policy) =>
  (['unloaded', 'loaded', 'offloaded'] as const).map((scenario) => ({ server: 'blocking', policy, scenario })),
);
const WITH_PY32: readonly NamedCell[] = [...PLAN, { server: 'blocking', policy: 'py32', scenario: 'unloaded' }];
const read = (text: string, plan = PLAN) => readThreshold(text, plan);

describe('a threshold', () => {
  it('names policy, server, scenario, metric, limit; the scenario is loaded unless it says otherwise', () => {
    expect(read('priority/blocking slowdown <= 1.5')).toMatchObject({
      cell: { server: 'blocking', policy: 'priority', scenario: 'loaded' },
      metric: 'slowdown',
      operator: '<=',
      limit: 1.5,
    });
    expect(read('priority/blocking offloaded p99 < 15ms')).toMatchObject({
      cell: { scenario: 'offloaded' },
      metric: 'p99',
      operator: '<',
      limit: 15e6,
    });
  });

  it('may be about a policy with options', () => {
    expect(read(`${LABEL}/blocking p99.9<=1s`)).toMatchObject({ cell: { policy: LABEL }, metric: 'p99.9', limit: 1e9 });
  });

  it('may be about an interpreter, whose label has spaces and slashes', () => {
    const policy = 'CPython 3.11.7 (/usr/bin/python3)';
    const plan = [{ server: 'blocking', policy, scenario: 'loaded' }] as const;
    expect(readThreshold(`${policy}/blocking loaded p99 < 15ms`, plan)).toMatchObject({ cell: { policy } });
  });

  it.each([
    ['total <= 20s', 20e9, '20s'],
    ['p50 < 150us', 150e3, '150us'],
    ['cpu <= 20%', 0.2, '20%'],
    ['steals >= 0.5', 0.5, '0.5'],
    ['talk-slowdown > 3', 3, '3'],
  ])('has its limit in the unit of its metric: %s', (text, limit, written) => {
    const threshold = readThreshold(`priority/blocking ${text}`, WITH_PY32);
    expect(threshold.limit).toBe(limit);
    expect(formatLimit(threshold)).toBe(written);
  });

  it.each([
    ['', /write POLICY\/SERVER/],
    ['priority slowdown <= 1', /write POLICY\/SERVER/],
    ['priority/blocking slowdown', /write POLICY\/SERVER/],
    ['priority/blocking slowdown = 1', /write POLICY\/SERVER/],
    ['py27/blocking slowdown <= 1', /no cell py27\/blocking loaded; it has priority\/blocking unloaded/],
    ['priority/native slowdown <= 1', /no cell priority\/native loaded/],
    ['priority/blocking gui p50 < 1ms', /no cell priority\/blocking gui/],
    ['priority/blocking busy p50 < 1ms', /no scenario «busy»/],
    ['priority/blocking p95 < 1ms', /no metric «p95»; there are total/],
    ['priority/blocking toString < 1', /no metric «toString»/],
    ['priority/blocking p99 < 15', /a duration with its unit/],
    ['priority/blocking slowdown < 2s', /a number/],
    ['priority/blocking slowdown < 1e3', /a number/],
    ['priority/blocking cpu < 0.2', /in per cent/],
    ['priority/blocking unloaded slowdown < 2', /against unloaded/],
    ['priority/blocking unloaded spinners-keep > 10%', /no CPU threads/],
    ['priority/blocking talk-slowdown < 2', /py32, which this run does not measure/],
  ])('that is about nothing is refused: «%s»', (text, message) => {
    expect(() => read(text)).toThrow(UsageError);
    expect(() => read(text)).toThrow(message);
  });

  it('against the talk’s baseline needs that cell, and not to be it', () => {
    expect(() => readThreshold('py32/blocking unloaded talk-slowdown < 2', WITH_PY32)).toThrow(/this very cell/);
  });
});

describe('the verdict', () => {
  const threshold = read('priority/blocking slowdown <= 1.5');
  const judged = (loadedMs: readonly number[], unloadedMs: readonly number[] = loadedMs.map(() => 2)) =>
    judge(
      threshold,
      summarize({
        cells: [
          cell('priority/blocking unloaded', roundsOf(unloadedMs)),
          cell('priority/blocking loaded', roundsOf(loadedMs)),
        ],
      }),
      1,
    );

  it.each([
    ['pass', [2.2, 2.4, 2.6]],
    ['fail', [3.2, 3.4, 3.6]],
    ['inconclusive', [2.8, 3, 3.2]],
    ['inconclusive', [2.2]],
    ['inconclusive', [9]],
  ] as const)('is %s for rounds of %j ms against 3 ms', (verdict, loadedMs) => {
    expect(judged(loadedMs).verdict).toBe(verdict);
  });

  it('says limit, value and interval; of one round, why there is none', () => {
    expect(renderVerdicts([judged([3.2, 3.4, 3.6])])).toBe(
      'fail         priority/blocking slowdown <= 1.5: slowdown is 1.70×, 95 % interval 1.60–1.80',
    );
    expect(renderVerdicts([judged([2.2])])).toMatch(/^inconclusive .* is 1\.10×, of one round.*--rounds 3/);
  });

  it('is inconclusive, never a pass, for a cell that failed or is not there', () => {
    const failed = cell('priority/blocking loaded', [{ state: 'failed', round: 1, message: 'gone' }]);
    for (const cells of [[failed], [], [cell('priority/blocking loaded', [measured({ rttMs: [] })])]]) {
      const judgement = judge(threshold, summarize({ cells }), 1);
      expect(judgement).toMatchObject({ verdict: 'inconclusive', value: null });
      expect(renderVerdicts([judgement])).toContain('not measured');
    }
  });
});
