/** A result of `convoy fidelity` made by hand: two policies beside their interpreters, one of which has no pyzmq. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { compareFidelity } from '../../../bench/figures/fidelity.ts';
import type { ReferenceSpec } from '../../../bench/reference/interpreter.ts';
import type { Result } from '../../../bench/result/result.ts';
import { cell, measured, result } from '../result-builder.ts';

const ROUNDS = [1, 2, 3];
const MESSAGES = 120;

/** A label, and the median of its loaded round trips, ms. */
const COLUMNS = [
  ['py27', 0.31],
  ['CPython 2.7.18', 0.34],
  ['py32', 4.2],
  ['CPython 3.11.7', 4.3],
] as const;

function interpreter(label: string): ReferenceSpec {
  const version = label.replace('CPython ', '');
  const [major = 0, minor = 0, micro = 0] = version.split('.').map(Number);
  const from = {
    ...({ kind: 'interpreter', implementation: 'CPython', build: 'main', freeThreaded: false } as const),
    ...{ path: `/nowhere/python${version}`, version, switchIntervalNs: 5e6, pyzmq: null },
  };
  return { label, from: { ...from, language: [major, minor, micro] } };
}

export function besideInterpreters(): Result {
  const random = xoroshiro128plus(3);
  // Long at the end, as latencies are.
  const rtt = (medianMs: number) => medianMs * Math.exp((uniformInt(random, -1_000, 1_000) / 1_000) ** 3 * 1.2);
  const cells = ['blocking', 'nonblocking', 'zeromq'].flatMap((server) =>
    COLUMNS.flatMap(([label, loadedMs]) =>
      (['unloaded', 'loaded'] as const).map((scenario) => {
        const message = 'this interpreter has no pyzmq';
        const isMissing = server === 'zeromq' && label === 'CPython 2.7.18';
        const rounds = ROUNDS.map((round) =>
          isMissing
            ? { state: 'failed' as const, round, message }
            : measured({
                round,
                rttMs: Array.from({ length: MESSAGES }, () => rtt(scenario === 'loaded' ? loadedMs : 0.12)),
                kept: scenario === 'loaded' ? 0.95 : null,
              }),
        );
        return cell(`${label}/${server} ${scenario}`, rounds);
      }),
    ),
  );
  const made = result(cells);
  const policies = made.policies.map((column) =>
    column.label.startsWith('CPython') ? interpreter(column.label) : column,
  );
  const whole = { ...made, policies };
  return { ...whole, fidelity: compareFidelity(whole) };
}
