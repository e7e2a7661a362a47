/** What all drawings have in common: no animation, the page's font and colours, axes that say their unit. */

export const INK = 'var(--ink)';
export const QUIET = 'var(--quiet)';
const RULE = 'var(--rule)';

export const FONT = { fontFamily: 'inherit', fontSize: 12, color: QUIET };

/** Of every drawing. */
export const FRAME = {
  animation: false,
  textStyle: FONT,
  tooltip: {
    trigger: 'axis' as const,
    confine: true,
    backgroundColor: 'var(--paper)',
    borderColor: 'var(--rule)',
    textStyle: { ...FONT, color: INK },
    axisPointer: { lineStyle: { color: QUIET, type: 'dashed' as const }, label: { show: false } },
  },
};

/** A quiet axis with its unit at the end. */
export function axis(name: string) {
  return {
    name,
    nameTextStyle: FONT,
    axisLabel: FONT,
    axisTick: { show: false },
    axisLine: { show: false, lineStyle: { color: RULE } },
    splitLine: { show: true, lineStyle: { color: RULE } },
    minorSplitLine: { show: false },
  };
}

/** At most four digits, and no zeros that say nothing. */
export function written(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}
