/**
 * What the page's script draws: numbers in the units of the axes, with as many digits as can be seen. Made here of a result, sent in
 * the page as JSON, and given to the chart library by `options/`.
 */
import type { State } from '../../../lock/timeline.ts';

/** A horizontal bar for each row. */
export interface BarsChart {
  readonly kind: 'bars';
  /** Whose bars they are; empty where each is of another. */
  readonly policy: string;
  readonly unit: 's' | 'ms';
  /** Longer bars are cut here. */
  readonly axisMax: number;
  readonly rows: readonly BarRow[];
  /** Values that a reader knows, as lines across. */
  readonly limits: readonly { readonly at: number; readonly label: string }[];
}

export interface BarRow {
  readonly label: string;
  readonly look: number;
  /** Null where there is none: `text` then says why. */
  readonly value: number | null;
  readonly text: string;
  /** What the talk published; null where it did not. */
  readonly talk: { readonly value: number; readonly text: string } | null;
  /** A value to hold the bar against: the same unloaded. */
  readonly mark: number | null;
}

/** A line for each column of the result: the round trip that so many per cent of messages did not exceed. */
export interface PercentilesChart {
  readonly kind: 'percentiles';
  readonly series: readonly {
    readonly label: string;
    readonly look: number;
    readonly messages: number;
    /** Per cent below 100, and ms; the last one is the largest round trip. */
    readonly points: readonly (readonly [percent: number, ms: number])[];
    readonly maxMs: number;
  }[];
}

/** Round trips of one cell as a run goes on. */
export interface OverTimeChart {
  readonly kind: 'over-time';
  readonly look: number;
  /** Of its longest round. */
  readonly untilS: number;
  /** Only where there were messages. */
  readonly points: readonly (readonly [atS: number, minMs: number, medianMs: number, maxMs: number])[];
}

/** A point for each cell: what its messages pay, and what the CPU threads keep. */
export interface TradeChart {
  readonly kind: 'trade';
  readonly points: readonly {
    readonly policy: string;
    readonly server: string;
    readonly look: number;
    readonly keepsPercent: number;
    readonly slowdown: number;
  }[];
}

/** A line for each policy: the slowdown on machines of so many CPUs. */
export interface SweepChart {
  readonly kind: 'sweep';
  readonly series: readonly {
    readonly label: string;
    readonly look: number;
    readonly points: readonly (readonly [cpus: number, slowdown: number])[];
  }[];
}

/** A piece of a round trip. Without a timeline only how much there was of each is known, not when. */
export interface Segment {
  readonly state: State;
  /** Of a call of a timeline, its name. */
  readonly call?: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Message {
  /** `typical`, `slow`. */
  readonly label: string;
  readonly rttMs: number;
  readonly sentMs: number;
  readonly segments: readonly Segment[];
}

/** A thread's events, packed: a page holds tens of thousands. */
export interface PackedThread {
  readonly name: string;
  readonly role: 'server' | 'spinner';
  /** Nanoseconds from the event before; the first from the timeline's start. */
  readonly afterNs: readonly number[];
  /** A digit for each event: its index in the vocabulary of lock/timeline.ts. */
  readonly events: string;
}

export interface PackedTimeline {
  readonly fromNs: number;
  readonly untilNs: number;
  readonly threads: readonly PackedThread[];
  /** When messages were under way. */
  readonly messages: readonly (readonly [sentNs: number, rttNs: number])[];
}

/** A cell whose messages, and whose lock, can be looked into. */
export interface CellView {
  readonly name: string;
  /** The segments are in the order in which they happened. */
  readonly exact: boolean;
  readonly messages: readonly Message[];
  readonly timeline: PackedTimeline | null;
}

export type Chart = BarsChart | PercentilesChart | OverTimeChart | TradeChart | SweepChart;

/** All that the page's script reads. */
export interface PageData {
  /** Id of the element → what is drawn in it. */
  readonly charts: Readonly<Record<string, Chart>>;
  readonly cells: readonly CellView[];
}

/** To four digits: a chart shows no more, and a page is smaller. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
