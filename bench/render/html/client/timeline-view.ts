/** The timeline of one cell: zoomed and moved by wheel, drag, slider, buttons and keys. */
import type { ECharts } from 'echarts';
import type { CellView, PackedTimeline } from '../charts.ts';
import { written } from '../options/frame.ts';
import { ROW_PX, type ThreadRow, timelineOption, timelineSeries, unpackTimeline } from '../options/timeline.ts';
import { drawInto } from './drawing.ts';

/** What a button or a key does. */
const KEYS: Readonly<Record<string, Move>> = {
  '+': 'in',
  '=': 'in',
  '-': 'out',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  '0': 'all',
  s: 'slow',
};

type Move = 'in' | 'out' | 'left' | 'right' | 'all' | 'slow';

const ZOOM = 2;
/** Of what is in view. */
const STEP = 0.25;
const NARROWEST_MS = 0.02;
/** Beside the message that is shown, of its length. */
const MARGIN = 0.15;
const AXIS_PX = 84;

interface Shown {
  readonly cell: CellView;
  readonly timeline: PackedTimeline;
  readonly rows: readonly ThreadRow[];
}

export class TimelineView {
  readonly #area = document.getElementById('timeline');
  readonly #element = document.getElementById('timeline-chart');
  readonly #status = document.getElementById('timeline-status');
  readonly #none = document.getElementById('no-timeline');
  #chart: ECharts | undefined;
  #shown: Shown | undefined;

  constructor() {
    for (const button of this.#area?.querySelectorAll<HTMLButtonElement>('button[data-move]') ?? []) {
      button.addEventListener('click', () => this.#move(button.dataset['move'] as Move));
    }
    this.#element?.addEventListener('keydown', (event) => {
      const move = KEYS[event.key];
      if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#move(move);
    });
  }

  /** Shows a cell, from just before its slow message to just after it. */
  show(cell: CellView): void {
    const { timeline } = cell;
    if (this.#area === null || this.#element === null || this.#none === null) return;
    this.#area.hidden = timeline === null;
    this.#none.hidden = timeline !== null;
    if (timeline === null) return;
    this.#shown = { cell, timeline, rows: unpackTimeline(timeline) };
    this.#element.style.height = `${(this.#shown.rows.length + 1) * ROW_PX + AXIS_PX}px`;
    if (this.#chart === undefined) {
      this.#chart = drawInto(this.#element, () => this.#option());
      this.#chart.on('datazoom', () => this.#draw());
    } else {
      this.#chart.resize();
      this.#chart.setOption(this.#option(), true);
    }
    this.#move('slow');
  }

  #option() {
    const { rows, timeline } = this.#shown as Shown;
    return timelineOption(rows, timeline);
  }

  /** What is in view, ms. */
  #window(): [from: number, until: number] {
    const zoom = (this.#chart?.getOption()['dataZoom'] as { startValue: number; endValue: number }[] | undefined)?.[0];
    return [zoom?.startValue ?? 0, zoom?.endValue ?? 0];
  }

  #move(move: Move): void {
    const [from, until] = this.#window();
    const width = until - from;
    const slow = this.#shown?.cell.messages.at(-1);
    const moved: Readonly<Record<Move, readonly [fromMs: number, widthMs: number]>> = {
      in: [from + (width - width / ZOOM) / 2, width / ZOOM],
      out: [from - (width * ZOOM - width) / 2, width * ZOOM],
      left: [from - width * STEP, width],
      right: [from + width * STEP, width],
      all: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      slow: [(slow?.sentMs ?? 0) - MARGIN * (slow?.rttMs ?? 0), (slow?.rttMs ?? 0) * (1 + 2 * MARGIN)],
    };
    this.#look(...moved[move]);
  }

  /** Keeps to what there is. */
  #look(fromMs: number, widthMs: number): void {
    if (this.#shown === undefined) return;
    const { fromNs, untilNs } = this.#shown.timeline;
    const [first, last] = [fromNs / 1e6, untilNs / 1e6];
    const width = Math.min(last - first, Math.max(NARROWEST_MS, widthMs));
    const from = Math.min(last - width, Math.max(first, fromMs));
    this.#chart?.dispatchAction({ type: 'dataZoom', startValue: from, endValue: from + width });
  }

  #draw(): void {
    const { rows, timeline } = this.#shown as Shown;
    const [from, until] = this.#window();
    const widthPx = this.#element?.clientWidth ?? 0;
    this.#chart?.setOption({ series: timelineSeries(rows, timeline, from * 1e6, until * 1e6, widthPx) ?? [] });
    if (this.#status !== null) {
      this.#status.textContent = `In view: ${written(until - from)} ms, from ${from.toFixed(3)} to ${until.toFixed(3)} ms after the start.`;
    }
  }
}
