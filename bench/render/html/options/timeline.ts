/** The lock by thread, for the chart library: what is in view, and no more of it than can be seen. */
import type { EChartsOption } from 'echarts';
import type { PackedTimeline } from '../charts.ts';
import { type Mark, type Span, splitEvents } from '../spans.ts';
import { axis, FONT, FRAME, INK } from './frame.ts';
import { DRAWN, drawState, type StateDatum } from './states.ts';

export const ROW_PX = 34;

/** A thread of a timeline, ready to be drawn. */
export interface ThreadRow {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
}

/** Order of the vocabulary's states, as `events` has indexes into it. */
const WORDS = ['call', 'wants', 'sleeps', 'runs', 'away', 'drop-requested', 'drop-honoured', 'stolen'];
const STATES = 5;

/** Threads that took part, in the timeline's order. */
export function unpackTimeline({ threads, fromNs, untilNs }: PackedTimeline): ThreadRow[] {
  const rows = threads.map(({ name, afterNs, events }): ThreadRow => {
    let at = fromNs;
    const atNs = afterNs.map((after) => {
      at += after;
      return at;
    });
    return { name, ...splitEvents({ atNs, event: Array.from(events, Number) }, untilNs, WORDS, STATES) };
  });
  return rows.filter(({ spans }) => spans.some(({ state }) => state !== 'away'));
}

/**
 * What is seen of spans in a window: what is narrower than a pixel is put together with its neighbours, and the state they were in
 * longest is drawn for all.
 */
export function visibleSpans(spans: readonly Span[], fromNs: number, untilNs: number, pixelNs: number): Span[] {
  const seen: Span[] = [];
  let crumbs: Span[] = [];
  const sweep = () => {
    const [first, last] = [crumbs[0], crumbs.at(-1)];
    if (first !== undefined && last !== undefined)
      seen.push({ state: longest(crumbs), fromNs: first.fromNs, untilNs: last.untilNs });
    crumbs = [];
  };
  for (const span of spans) {
    if (span.untilNs <= fromNs) continue;
    if (span.fromNs >= untilNs) break;
    if (span.untilNs - span.fromNs >= pixelNs) {
      sweep();
      seen.push(span);
    } else {
      crumbs.push(span);
      if (span.untilNs - (crumbs[0]?.fromNs ?? 0) >= pixelNs) sweep();
    }
  }
  sweep();
  return seen;
}

function longest(spans: readonly Span[]): Span['state'] {
  const ns = new Map<Span['state'], number>();
  for (const { state, fromNs, untilNs } of spans) ns.set(state, (ns.get(state) ?? 0) + untilNs - fromNs);
  return [...ns].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Marks are drawn when so few are in view that they can be told apart. */
const MAX_MARKS = 400;

const MARK_SYMBOLS: Readonly<Record<string, string>> = {
  'drop-requested': 'path://M0 0H10L5 8Z',
  'drop-honoured': 'path://M0 8H10L5 0Z',
  stolen: 'path://M0 2L2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5Z',
};

/** The series of a window: drawn anew whenever it moves. */
export function timelineSeries(
  rows: readonly ThreadRow[],
  { messages }: PackedTimeline,
  fromNs: number,
  untilNs: number,
  widthPx: number,
): EChartsOption['series'] {
  const pixelNs = (untilNs - fromNs) / Math.max(1, widthPx);
  const trips = messages.map(([sentNs, rttNs]): Span => ({ state: 'call', fromNs: sentNs, untilNs: sentNs + rttNs }));
  const states = rows.flatMap(({ spans }, row) =>
    visibleSpans(spans, fromNs, untilNs, pixelNs).map(
      (span): StateDatum => [row + 1, span.fromNs / 1e6, span.untilNs / 1e6, DRAWN.indexOf(span.state)],
    ),
  );
  const marks = rows.flatMap(({ marks }, row) =>
    marks
      .filter(({ atNs }) => atNs >= fromNs && atNs <= untilNs)
      .map(({ mark, atNs }) => ({
        value: [atNs / 1e6, row + 1],
        symbol: MARK_SYMBOLS[mark] ?? 'circle',
        symbolOffset: [0, -ROW_PX * 0.42],
      })),
  );
  return [
    {
      id: 'messages',
      type: 'custom',
      silent: true,
      renderItem: drawState,
      encode: { x: [1, 2], y: 0 },
      data: visibleSpans(trips, fromNs, untilNs, pixelNs).map(
        (span): StateDatum => [0, span.fromNs / 1e6, span.untilNs / 1e6, DRAWN.indexOf('message')],
      ),
    },
    {
      id: 'states',
      type: 'custom',
      silent: true,
      renderItem: drawState,
      encode: { x: [1, 2], y: 0 },
      data: states,
    },
    {
      id: 'marks',
      type: 'scatter',
      silent: true,
      symbolSize: 9,
      itemStyle: { color: INK },
      data: marks.length > MAX_MARKS ? [] : marks,
    },
  ];
}

/** The axes of a timeline; its series are {@link timelineSeries}. */
export function timelineOption(rows: readonly ThreadRow[], { fromNs, untilNs }: PackedTimeline): EChartsOption {
  return {
    ...FRAME,
    tooltip: { show: false },
    grid: { left: 104, right: 30, top: 8, bottom: 76 },
    xAxis: {
      type: 'value',
      min: fromNs / 1e6,
      max: untilNs / 1e6,
      ...axis('ms'),
      nameGap: 4,
      axisLabel: { ...FONT, hideOverlap: true, showMinLabel: false, showMaxLabel: false },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: ['messages', ...rows.map(({ name }) => name)],
      ...axis(''),
      axisLabel: { ...FONT, color: INK, width: 92, overflow: 'truncate', interval: 0 },
      splitLine: { show: true, lineStyle: { color: 'var(--rule)' } },
    },
    dataZoom: [
      {
        type: 'inside',
        filterMode: 'none',
        zoomOnMouseWheel: 'ctrl',
        moveOnMouseMove: true,
        preventDefaultMouseMove: false,
      },
      {
        type: 'slider',
        filterMode: 'none',
        height: 26,
        bottom: 8,
        showDetail: false,
        showDataShadow: false,
        brushSelect: false,
        borderColor: 'var(--rule)',
        backgroundColor: 'none',
        fillerColor: 'var(--filler)',
        handleStyle: { color: 'var(--paper)', borderColor: 'var(--quiet)' },
        moveHandleStyle: { color: 'var(--quiet)' },
      },
    ],
  };
}
