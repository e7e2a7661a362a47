/** A cell to look into: its typical and its slow message, and who had the lock. */
import type { ECharts } from 'echarts';
import type { CellView, Message } from '../charts.ts';
import { written } from '../options/frame.ts';
import { messagesOption } from '../options/messages.ts';
import { drawInto, whenSeen } from './drawing.ts';
import { TimelineView } from './timeline-view.ts';

const STATE_TEXT = {
  call: 'in calls',
  wants: 'wanting',
  sleeps: 'waiting for',
  runs: 'running',
  away: 'away',
} as const;

/** Fills the part of the page that has a cell chosen; without cells there is none. */
export function showCells(cells: readonly CellView[]): void {
  const choice = document.getElementById('cell') as HTMLSelectElement | null;
  const drawing = document.getElementById('message');
  const order = document.getElementById('message-order');
  if (choice === null || drawing === null || order === null) return;
  const timeline = new TimelineView();
  const chosen = () => cells[choice.selectedIndex] ?? cells[0];

  let chart: ECharts | undefined;
  const show = () => {
    const cell = chosen();
    if (cell === undefined) return;
    drawing.setAttribute('aria-label', cell.messages.map(describe).join(' '));
    order.textContent = cell.exact
      ? 'The pieces are in the order in which they happened.'
      : 'Without a timeline the sums are known, not the order: calls, then the lock, then work.';
    chart?.setOption(messagesOption(cell), true);
    timeline.show(cell);
  };
  whenSeen(drawing, () => {
    chart = drawInto(drawing, () => messagesOption(chosen() as CellView));
    show();
  });
  choice.addEventListener('change', show);
}

function describe({ label, rttMs, segments }: Message): string {
  const states = [...new Set(segments.map(({ state }) => state))];
  const sums = states.map((state) => {
    const ms = segments
      .filter((segment) => segment.state === state)
      .reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0);
    return `${written(ms)} ms ${STATE_TEXT[state]}${state === 'wants' || state === 'sleeps' ? ' the lock' : ''}`;
  });
  return `${label} message, ${written(rttMs)} ms${sums.length === 0 ? '' : `: ${sums.join(', ')}`}.`;
}
