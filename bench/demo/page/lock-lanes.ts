/**
 * Who held the lock in the last second: a lane for each thread, cut into columns of 2 ms, each filled from below by what the thread did in
 * that time. Beside it the shares of the whole second in figures.
 */
import type { LockColumns, ThreadColumns } from '../lock-columns.ts';
import { surfaceOf } from './canvas.ts';
import { create } from './dom.ts';
import { formatShare } from './format.ts';

const SHOWN_NS = 1e9;
/** Height of the triangle that stands for a request. */
const MARK_HEIGHT = 5;

/** One column: what it was spent on, in percent. */
interface Column {
  readonly number: number;
  readonly runs: number;
  readonly waits: number;
  readonly calls: number;
  readonly requests: number;
}

interface Lane {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly figures: HTMLElement;
  columns: Column[];
}

export class LockLanes {
  readonly #box: HTMLElement;
  readonly #lanes = new Map<number, Lane>();

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  /** Takes what has happened since the last time. */
  add({ columnNs, first, threads }: LockColumns): void {
    for (const thread of threads) {
      if (!isShown(thread)) continue;
      const lane = this.#lanes.get(thread.thread) ?? this.#addLane(thread);
      const last = first + thread.runs.length - 1;
      lane.columns = [...lane.columns, ...columnsOf(thread, first)].filter(
        ({ number }) => number > last - SHOWN_NS / columnNs,
      );
      draw(lane, last, SHOWN_NS / columnNs);
    }
  }

  /** Another process: its threads are others. */
  clear(): void {
    this.#lanes.clear();
    this.#box.replaceChildren();
  }

  #addLane({ thread, name, role }: ThreadColumns): Lane {
    const element = create('div');
    element.className = 'lane';
    const title = create('p', role === 'server' ? 'event loop' : name);
    const figures = create('small');
    title.append(figures);
    const canvas = create('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    element.append(title, canvas);
    this.#box.append(element);
    const lane = { element, canvas, figures, columns: [] };
    this.#lanes.set(thread, lane);
    return lane;
  }
}

/** The server's other thread waits for a connection from beginning to end. */
function isShown({ role, name }: ThreadColumns): boolean {
  return role === 'spinner' || name.startsWith('connection');
}

function columnsOf({ runs, waits, calls, requests }: ThreadColumns, first: number): Column[] {
  return runs.map((share, i) => ({
    number: first + i,
    runs: share,
    waits: waits[i] ?? 0,
    calls: calls[i] ?? 0,
    requests: requests[i] ?? 0,
  }));
}

function draw({ canvas, figures, columns }: Lane, last: number, shown: number): void {
  const mean = (of: (column: Column) => number) =>
    columns.reduce((sum, column) => sum + of(column), 0) / columns.length / 100;
  figures.textContent = `holds ${formatShare(mean(({ runs }) => runs))}, waits ${formatShare(mean(({ waits }) => waits))}`;
  const surface = surfaceOf(canvas);
  if (surface === null) return;
  const { context, width, height, colour } = surface;
  const x = (number: number) => Math.round(((number - (last - shown + 1)) / shown) * width);
  const full = height - MARK_HEIGHT - 1;
  const [runs, waits, calls, ink] = [colour('runs'), colour('waits'), colour('calls'), colour('ink')];
  for (const column of columns) {
    const left = x(column.number);
    const columnWidth = x(column.number + 1) - left;
    let bottom = height;
    for (const [share, fill] of [
      [column.runs, runs],
      [column.waits, waits],
      [column.calls, calls],
    ] as const) {
      const part = (share / 100) * full;
      context.fillStyle = fill;
      context.fillRect(left, bottom - part, columnWidth, part);
      bottom -= part;
    }
    if (column.requests === 0) continue;
    context.fillStyle = ink;
    context.beginPath();
    context.moveTo(left - 2, 0);
    context.lineTo(left + 4, 0);
    context.lineTo(left + 1, MARK_HEIGHT);
    context.fill();
  }
}
