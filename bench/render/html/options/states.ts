/** How the states of a thread are drawn, in a message and in a timeline: by colour, by height, and hatched where it sleeps. */
import type { CustomSeriesRenderItem } from 'echarts';
import type { State } from '../../../../lock/timeline.ts';

interface StateStyle {
  readonly fill: string;
  /** Of the row. */
  readonly height: number;
}

/** What is drawn in rows over time: a thread's states, and messages that are under way. */
type Drawn = State | 'message';

/** A thread that runs fills its row; what it waits for is half of that, a call a line. */
const STYLES: Readonly<Record<Drawn, StateStyle>> = {
  runs: { fill: 'var(--state-runs)', height: 0.8 },
  wants: { fill: 'var(--state-wants)', height: 0.5 },
  sleeps: { fill: 'url(#hatch-sleeps)', height: 0.5 },
  call: { fill: 'var(--state-call)', height: 0.16 },
  away: { fill: 'none', height: 0 },
  message: { fill: 'var(--message)', height: 0.5 },
};

export const DRAWN = Object.keys(STYLES) as Drawn[];

/** A datum of a custom series: the row, from when to when, and the index in {@link DRAWN} of what is drawn. */
export type StateDatum = [row: number, from: number, until: number, state: number];

/** Draws one {@link StateDatum}, clipped to the axes. */
export const drawState: CustomSeriesRenderItem = ({ coordSys }, api) => {
  const [row, from, until, state] = [0, 1, 2, 3].map((dimension) => Number(api.value(dimension))) as [
    number,
    number,
    number,
    number,
  ];
  const { fill, height } = STYLES[DRAWN[state] ?? 'away'];
  const area = coordSys as unknown as { readonly x: number; readonly width: number };
  const [left = 0, middle = 0] = api.coord([from, row]);
  const [right = 0] = api.coord([until, row]);
  const rowPx = (api.size?.([0, 1]) as number[] | undefined)?.[1] ?? 0;
  const x = Math.max(left, area.x);
  const width = Math.min(right, area.x + area.width) - x;
  if (width <= 0 || height === 0) return null;
  return {
    type: 'rect',
    shape: { x, y: middle - (rowPx * height) / 2, width: Math.max(width, 0.5), height: rowPx * height },
    style: { fill },
  };
};
