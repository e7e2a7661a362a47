import { describe, expect, it } from 'vitest';
import { isTalkWorkload, TALK_FIGURES, talkFigureOf } from '../../../bench/figures/talk-figures.ts';
import { WORKLOAD } from '../result-builder.ts';

describe('the figures of the talk', () => {
  it('are 22, each cell once', () => {
    expect(TALK_FIGURES).toHaveLength(22);
    expect(new Set(TALK_FIGURES.map(({ server, policy, scenario }) => `${policy}/${server} ${scenario}`)).size).toBe(
      22,
    );
  });

  it('agree with themselves: each ratio is against the same server of Python 3.2, unloaded', () => {
    for (const { server, seconds, slower } of TALK_FIGURES.filter((figure) => figure.slower !== null)) {
      const unloaded = talkFigureOf(server, 'py32', 'unloaded')?.seconds ?? Number.NaN;
      // Published with one decimal, or none above 100.
      expect(Math.abs(seconds / unloaded - (slower ?? 0))).toBeLessThan((slower ?? 0) > 100 ? 0.5 : 0.06);
    }
  });

  it('are for the policies of the slides only, not for variants of them', () => {
    expect(talkFigureOf('blocking', 'py32', 'loaded')).toMatchObject({ seconds: 142.7, slower: 12.1 });
    expect(talkFigureOf('blocking', 'py32(interval=1ms)', 'loaded')).toBeUndefined();
    expect(talkFigureOf('blocking', 'free-threaded', 'loaded')).toBeUndefined();
    expect(talkFigureOf('blocking', 'py32', 'offloaded')).toBeUndefined();
  });

  it('are comparable with the talk’s workload, at any number of messages', () => {
    expect(isTalkWorkload({ ...WORKLOAD, messages: 500 })).toBe(true);
    expect(isTalkWorkload({ ...WORKLOAD, payloadBytes: 8 })).toBe(false);
    expect(isTalkWorkload({ ...WORKLOAD, delayNs: 0 })).toBe(false);
    expect(isTalkWorkload({ ...WORKLOAD, spinners: 2 })).toBe(false);
    expect(isTalkWorkload({ ...WORKLOAD, spinnerKind: 'native' })).toBe(false);
  });
});
