import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareFidelity,
  kolmogorovSmirnov,
  pairsOf,
  spreadsOfOriginals,
  verdictOf,
  worst,
} from '../../../bench/figures/fidelity.ts';
import { sortSamples } from '../../../bench/figures/statistics.ts';
import type { ReferenceSpec } from '../../../bench/reference/interpreter.ts';
import { renderFidelity } from '../../../bench/render/fidelity.ts';
import type { Cell, MeasuredRound, Result, Scenario } from '../../../bench/result/result.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';

const py27 = await readPolicySpec('py27');
const py32 = await readPolicySpec('py32');

function python(version: string, language: [number, number, number]): ReferenceSpec {
  return {
    label: `CPython ${version}`,
    from: {
      kind: 'interpreter',
      path: `/nowhere/python${version}`,
      implementation: 'CPython',
      version,
      language,
      build: 'main',
      freeThreaded: false,
      switchIntervalNs: 5e6,
      pyzmq: null,
    },
  };
}
const python2 = python('2.7.18', [2, 7, 18]);
const python3 = python('3.11.7', [3, 11, 7]);
const absent: ReferenceSpec = { label: 'pypy3', from: { kind: 'absent', name: 'pypy3', why: 'there is no «pypy3»' } };

/** Messages of so many milliseconds, 1 ms pause after each. */
function round(number: number, rttMs: readonly number[]): MeasuredRound {
  const rttNs = rttMs.map((ms) => ms * 1e6);
  return {
    state: 'measured',
    round: number,
    sentNs: rttNs.map(() => 0),
    rttNs,
    lockWaitNs: null,
    workNs: null,
    durationNs: rttNs.reduce((sum, ns) => sum + ns + 1e6, 0),
    ended: 'complete',
    reading: { durationNs: 1, cpuNs: 1, server: null, spinners: null, waits: null },
    spinnerRoundsPerSecond: 90,
    soloRoundsPerSecond: 100,
    connectionErrors: [],
  };
}

function cell(policy: string, scenario: Scenario, ...rounds: readonly number[][]): Cell {
  return { server: 'blocking', policy, scenario, rounds: rounds.map((rtts, i) => round(i + 1, rtts)) };
}

function resultOf(cells: Cell[]): Result {
  const [policies, seed] = [[py27, py32, python2, python3, absent], 7];
  return { policies, cells, seed } as unknown as Result;
}

/** Round trips that scatter a little around a value. */
const around = (ms: number) => Array.from({ length: 100 }, (_, i) => ms * (1 + (i - 50) / 10_000));

describe('a comparison', () => {
  const unloaded = [
    cell('py32', 'unloaded', around(0.1), around(0.1)),
    cell('CPython 3.11.7', 'unloaded', around(0.1), around(0.1)),
  ];
  const compare = (emulatedMs: number, realMs: number) =>
    compareFidelity(
      resultOf([
        ...unloaded,
        cell('py32', 'loaded', around(emulatedMs), around(emulatedMs)),
        cell('CPython 3.11.7', 'loaded', around(realMs), around(realMs)),
      ]),
    ).find(({ policy }) => policy === 'py32');

  it('passes what is near, and says how near', () => {
    const near = compare(5.2, 5);
    expect(near).toMatchObject({ state: 'compared', verdict: 'pass', distance: { unloaded: 0, loaded: 1 } });
    const excess = near?.state === 'compared' ? near.figures.find(({ name }) => name === 'excess') : undefined;
    expect(excess?.emulated).toBeCloseTo(5.1e6, -5);
    expect(excess?.ratio).toBeCloseTo(5.1 / 4.9, 2);
  });

  it('fails what is far', () => {
    expect(compare(10, 5)).toMatchObject({ verdict: 'fail' });
    expect(compare(5, 10)).toMatchObject({ verdict: 'fail' });
  });

  it('is inconclusive where rounds lie too far apart, and with one round', () => {
    const scattered = resultOf([
      ...unloaded,
      cell('py32', 'loaded', around(3), around(8)),
      cell('CPython 3.11.7', 'loaded', around(5), around(5)),
    ]);
    expect(compareFidelity(scattered).find(({ policy }) => policy === 'py32')).toMatchObject({
      verdict: 'inconclusive',
    });
    const once = resultOf(
      ['unloaded', 'loaded'].flatMap((scenario) =>
        ['py32', 'CPython 3.11.7'].map((name) => cell(name, scenario as Scenario, around(1))),
      ),
    );
    expect(compareFidelity(once).find(({ policy }) => policy === 'py32')).toMatchObject({ verdict: 'inconclusive' });
  });

  it('gives the message of the cell that failed in the place of figures', () => {
    const failed: Cell = {
      server: 'blocking',
      policy: 'CPython 3.11.7',
      scenario: 'loaded',
      rounds: [{ state: 'failed', round: 1, message: 'it crashed' }],
    };
    const [, comparison] = compareFidelity(resultOf([...unloaded, cell('py32', 'loaded', around(5)), failed]));
    expect(comparison).toMatchObject({ state: 'missing', why: 'it crashed' });
    expect(renderFidelity(comparison === undefined ? [] : [comparison], [], (_, text) => text)).toContain(
      'not compared: it crashed',
    );
  });

  it('lets py27 be off by 0.2 ms where a fifth is less', () => {
    const cells = ['py27', 'CPython 2.7.18'].flatMap((name, i) => [
      cell(name, 'unloaded', around(0.1), around(0.1)),
      // Round trips of 0.20 and 0.35 ms: far beyond a fifth.
      cell(name, 'loaded', around(0.2 + i * 0.15), around(0.2 + i * 0.15)),
    ]);
    const comparison = compareFidelity(resultOf(cells)).find(({ policy }) => policy === 'py27');
    const p50 = comparison?.state === 'compared' ? comparison.figures.find(({ name }) => name === 'p50') : undefined;
    expect(p50).toMatchObject({ verdict: 'pass', allowed: 200_000 });
  });
});

describe('the originals among themselves', () => {
  const python313 = python('3.13.0', [3, 13, 0]);
  const cells = [py32, python3, python313].flatMap(({ label }, i) => [
    cell(label, 'unloaded', around(0.1), around(0.1)),
    cell(label, 'loaded', around(5 + i), around(5 + i)),
  ]);
  const comparisons = (policies: Result['policies']) =>
    compareFidelity({ policies, cells, seed: 7 } as unknown as Result);

  it('are as far apart as the largest and the smallest of them, and the emulation is none of them', () => {
    const both = comparisons([py32, python3, python313]);
    const [spread, ...others] = spreadsOfOriginals(both);
    expect(others).toEqual([]);
    expect(spread).toMatchObject({
      policy: 'py32',
      server: 'blocking',
      originals: ['CPython 3.11.7', 'CPython 3.13.0'],
    });
    expect(spread?.figures.find(({ name }) => name === 'p50')?.ratio).toBeCloseTo(7 / 6, 3);
    expect(renderFidelity(both, [], (_, text) => text)).toMatch(/The originals among themselves[\s\S]*py32 +blocking/);
  });

  it('have no ratio of an excess that is none', () => {
    const faster = [py32, python3, python313].flatMap(({ label }, i) => [
      cell(label, 'unloaded', around(2)),
      cell(label, 'loaded', around(1 + i)),
    ]);
    const none = compareFidelity({ policies: [py32, python3, python313], cells: faster, seed: 7 } as unknown as Result);
    expect(spreadsOfOriginals(none)[0]?.figures.find(({ name }) => name === 'excess')?.ratio).toBeNull();
  });

  it('are not spoken of where there is one', () => {
    const one = comparisons([py32, python3]);
    expect(spreadsOfOriginals(one)).toEqual([]);
    expect(renderFidelity(one, [], (_, text) => text)).not.toContain('among themselves');
  });
});

it('pairs each interpreter with its emulation, and leaves out what is absent', () => {
  expect(pairsOf([py27, py32, python2, python3, absent])).toEqual([
    { policy: 'py27', reference: 'CPython 2.7.18' },
    { policy: 'py32', reference: 'CPython 3.11.7' },
  ]);
  expect(pairsOf([py27, python3])).toEqual([]);
});

it('decides only when the whole interval is on one side', () => {
  expect(verdictOf({ low: -0.9, high: 1 })).toBe('pass');
  expect(verdictOf({ low: 0.9, high: 1.1 })).toBe('inconclusive');
  expect(verdictOf({ low: 1.1, high: 2 })).toBe('fail');
  expect(verdictOf({ low: -3, high: -1.1 })).toBe('fail');
  expect(verdictOf(null)).toBe('inconclusive');
  expect(worst(['pass', 'inconclusive', 'fail'])).toBe('fail');
  expect(worst([])).toBe('inconclusive');
});

const samples = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 40 });

it('measures the distance of two distributions as their definition says', () => {
  fc.assert(
    fc.property(samples, samples, (a, b) => {
      const share = (of: number[], value: number) => of.filter((each) => each <= value).length / of.length;
      const expected = Math.max(...[...a, ...b].map((value) => Math.abs(share(a, value) - share(b, value))));
      expect(kolmogorovSmirnov(sortSamples(a), sortSamples(b))).toBeCloseTo(expected, 12);
    }),
  );
});
