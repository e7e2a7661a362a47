import { describe, expect, it } from 'vitest';
import { compareResults } from '../../../bench/figures/compare.ts';
import { renderComparison } from '../../../bench/render/comparison.ts';
import { cell, ENVIRONMENT, measured, result, roundsOf, WORKLOAD } from '../result-builder.ts';

const plain = (_style: string, text: string) => text;
const of = (ms: readonly number[], rest = {}) => result([cell('py32/blocking loaded', roundsOf(ms))], rest);
const totalOf = (before: readonly number[], after: readonly number[]) =>
  compareResults(of(before), of(after)).cells[0]?.figures.find(({ metric }) => metric === 'total');

describe('a comparison', () => {
  it.each([
    ['faster', [4, 4.1, 4.2], [2, 2.1, 2.2]],
    ['slower', [4, 4.1, 4.2], [8, 8.1, 8.2]],
    ['no-difference', [4, 4.1, 4.2], [4.05, 4.15, 4.1]],
    ['one-round', [4], [8, 8.1]],
  ] as const)('finds: %s', (change, before, after) => {
    expect(totalOf(before, after)).toMatchObject({ change });
  });

  it('is the ratio of the second file to the first, with an interval that holds it', () => {
    const total = totalOf([4, 4.1, 4.2], [8, 8.2, 8.4]);
    expect(total?.ratio).toBeCloseTo(2);
    expect(total?.interval?.low).toBeLessThan(2);
    expect(total?.interval?.high).toBeGreaterThan(2);
  });

  it('compares total, p50 and p99 of each common cell and names the others', () => {
    const only = (name: string) => cell(name, roundsOf([3]));
    const comparison = compareResults(
      result([only('py32/blocking loaded'), only('py27/blocking loaded')]),
      result([only('py32/blocking loaded'), only('py32/native loaded')]),
    );
    expect(comparison.cells.map(({ name, figures }) => [name, figures.map(({ metric }) => metric)])).toEqual([
      ['py32/blocking loaded', ['total', 'p50', 'p99']],
    ]);
    expect(comparison).toMatchObject({ onlyFirst: ['py27/blocking loaded'], onlySecond: ['py32/native loaded'] });
  });

  it('of a file with itself finds no difference, of any kind', () => {
    const file = of([3, 4, 5]);
    const { cells, ...rest } = compareResults(file, file);
    expect(rest).toEqual({ onlyFirst: [], onlySecond: [], differences: [] });
    expect(cells[0]?.figures.map(({ ratio, change }) => [ratio, change])).toEqual(Array(3).fill([1, 'no-difference']));
  });

  it('says that one was placed, or apart, and the other was not', () => {
    const file = of([3]);
    const apart = { ...file, workload: { ...WORKLOAD, serverCpus: '0-1' }, serverEnvironment: ENVIRONMENT };
    expect(compareResults(file, apart).differences).toEqual([
      'workload serverCpus: not said, "0-1"',
      'number of machines: 1, 2',
    ]);
    const elsewhere = { ...apart, serverEnvironment: { ...ENVIRONMENT, cpuCount: 2 } };
    expect(compareResults(apart, elsewhere).differences).toEqual(["server's environment cpuCount: 8, 2"]);
  });

  it('says what else was different: workload, machine, and policies of the same name', () => {
    const file = of([3]);
    const { differences } = compareResults(file, {
      ...file,
      workload: { ...WORKLOAD, messages: 9 },
      environment: { ...ENVIRONMENT, cpuCount: 2, loadBefore: 3, loadAfter: 5, stolenShare: 0.1 },
      policies: file.policies.map((policy) => ({ ...policy, options: { interval: 1 } })),
    });
    expect(differences).toEqual([
      'workload messages: 4, 9',
      'environment cpuCount: 8, 2',
      expect.stringMatching(/^policy py32: .*"interval":1/),
    ]);
  });

  it('has no ratio for a cell that was not measured in both', () => {
    const failed = result([cell('py32/blocking loaded', [{ state: 'failed', round: 1, message: 'gone' }])]);
    const comparison = compareResults(of([3, 3]), failed);
    expect(comparison.cells[0]?.figures[0]).toMatchObject({ ratio: null, change: 'not-measured' });
    expect(renderComparison(comparison, ['a.json', 'b.json'], plain)).toContain('not measured');
  });
});

describe('the table of a comparison', () => {
  const text = (first: ReturnType<typeof of>, second: ReturnType<typeof of>) =>
    renderComparison(compareResults(first, second), ['a.json', 'b.json'], plain);

  it('has values, ratio, interval and verdict, in words', () => {
    expect(text(of([4, 4.1, 4.2]), of([8, 8.2, 8.4]))).toMatch(
      /py32\/blocking loaded +41\.0 +82\.0 +2\.00 +\d\.\d\d–\d\.\d\d +slower/,
    );
  });

  it('says so when there is nothing to compare', () => {
    const other = result([cell('py27/native loaded', [measured()])]);
    expect(text(of([3]), other)).toMatch(/no cell in common[\s\S]*only in a: py32\/blocking loaded[\s\S]*only in b/);
  });

  it('fits 100 columns', () => {
    const name = 'py32(interval=1ms,spinner-priority=0,keep-lock-on=nonblocking)/multiprocessing offloaded';
    const wide = result([cell(name, roundsOf([1234.5, 1334.5]))]);
    const narrow = { ...wide, environment: { ...ENVIRONMENT, cpu: 'Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz' } };
    for (const line of text(wide, narrow).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
