import { describe, expect, it } from 'vitest';
import { coldOffersOf, contentionOf, wakeUpsByIdleTime } from '../../../bench/simulate/calibrate-contention.ts';
import type { Call, OfferedWaits } from '../../../bench/simulate/calibrate-offering.ts';

/** Calls that were no first ones. */
const calls = (...each: (readonly [atNs: number, tookNs: number])[]): Call[] =>
  each.map(([atNs, tookNs]) => ({ atNs, tookNs, isFirst: false }));
const first = ({ atNs, tookNs }: Call): Call => ({ atNs, tookNs, isFirst: true });
const values = (table: readonly (readonly [number, number])[] = []) =>
  [0, 0.5, 1].map((at) => table.find(([share]) => share === at)?.[1]);

describe('a wait that came back at once and the offer that it was in for longest', () => {
  // Waits of 1,000 ns and more, which look at the word in the middle of a call of an offer: 600, 700 and 800 ns after they began.
  const rounds = [
    {
      returns: calls([10_000, 1_000], [20_000, 1_200]),
      vain: calls([9_900, 150], [10_450, 300], [11_900, 250], [20_500, 400]),
    },
    { returns: calls([10_000, 1_500]), vain: calls([10_600, 400]) },
    { returns: [], vain: calls([1, 5_000]) },
  ];

  it('are as long as the wait without two cache lines, and the kernel looks in the middle of the offer', () => {
    const { waitNs, looksAfter } = contentionOf(rounds, 250, 70) ?? {};
    expect(values(waitNs)).toEqual([1_000, 1_200, 1_500].map((ns) => ns - 2 * 70));
    expect(looksAfter).toBe(0.53);
  });

  it('hold it up by as much as it takes more than one that meets nobody', () => {
    expect(values(contentionOf(rounds, 250, 70)?.heldUpNs)).toEqual([50, 150, 150]);
  });

  it('are not looked at if one of them is the first for long', () => {
    const [[wait], [, offer]] = [calls([10_000, 1_000]), calls([9_000, 250], [10_450, 300])] as const;
    if (wait === undefined || offer === undefined) throw new Error('no calls');
    expect(contentionOf([{ returns: [wait], vain: [offer] }], 250, 70)).toBeDefined();
    expect(contentionOf([{ returns: [first(wait)], vain: [offer] }], 250, 70)).toBeUndefined();
    expect(contentionOf([{ returns: [wait], vain: [first(offer)] }], 250, 70)).toBeUndefined();
  });

  it('may never have been', () => {
    expect(contentionOf([{ returns: [], vain: calls([1, 240]) }], 250, 70)).toBeUndefined();
    expect(contentionOf([{ returns: calls([10_000, 1_000]), vain: calls([20_000, 250]) }], 250, 70)).toBeUndefined();
  });
});

it('wake-ups are told apart by how long their thread had slept: since the kernel looked at the word', () => {
  const wake = (offeredAfterNs: number) => ({ callNs: 0, latencyNs: 0, slept: true, offeredAfterNs });
  const wakeUps = [650, 900, 1_099, 1_100, 1_499, 1_500, 9_000].map(wake);
  // Those that met an offer looked after 700 ns.
  const rounds = [{ wakeUps, returns: calls([10_000, 1_200]), vain: calls([10_500, 400]) }];
  const classes = (of: readonly OfferedWaits[]) =>
    wakeUpsByIdleTime(of, [0, 400], 800).map((wakes) =>
      wakes.map((each) => wakeUps.indexOf(each as (typeof wakeUps)[0])),
    );
  expect(classes(rounds)).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
  expect(classes([{ wakeUps, returns: [], vain: [] }])).toEqual([[], [0]]);
});

it('the first offer since long takes so much more than the others of its round', () => {
  const rounds = [
    { vain: [...calls([1, 200], [2, 250], [3, 300]), ...calls([900_000, 900], [1_800_000, 1_250]).map(first)] },
    { vain: [...calls([1, 400]), ...calls([900_000, 390]).map(first)] },
  ];
  expect(coldOffersOf(rounds)).toEqual([650, 1_000, 0]);
  expect(coldOffersOf([{ vain: calls([1, 250]) }])).toEqual([0]);
});
