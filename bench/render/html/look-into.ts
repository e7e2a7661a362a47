/** The part of the page in which a cell is chosen: its messages in pieces, and its lock by thread. */
import type { CellView } from './charts.ts';
import { drawTables } from './figure.ts';
import { type Html, html } from './html.ts';
import { marksLegend, statesLegend } from './legends.ts';
import { messagesTable, stepsTables } from './messages.ts';
import { timelineTables } from './timelines.ts';

/** @param notes what was left out */
export function drawLookInto(views: readonly CellView[], notes: readonly string[]): Html {
  if (views.length === 0) return html``;
  const first = indexOfFirst(views);
  return html`<section id="message-section" aria-labelledby="message-title"><h2 id="message-title">One message, and the lock</h2>
<p class="choice"><label for="cell">Cell</label> <select id="cell">${views.map(
    ({ name, timeline }, i) =>
      html`<option ${i === first ? html`selected` : html``}>${name}${timeline === null ? '' : ' · timeline'}</option>`,
  )}</select></p>
<figure><figcaption><h3>A typical and a slow message</h3>${statesLegend()}</figcaption>
<div class="chart" id="message" role="img" aria-label="A typical and a slow message in pieces" style="height:150px"></div>
<p class="note" id="message-order"></p>
<p class="note">Typical is the median round trip, slow the 99th percentile; each is a message that was observed.</p>
${drawTables([messagesTable(views), ...stepsTables(views)], 'The same as a table, of every cell')}</figure>
<figure><figcaption><h3>Who holds the lock</h3>${marksLegend()}</figcaption>
<div id="timeline" hidden>
<div class="buttons" role="group" aria-label="What of the timeline is in view">${BUTTONS.map(
    ([move, sign, name]) =>
      html`<button type="button" data-move="${move}" aria-label="${name}" title="${name}">${sign}</button>`,
  )}</div>
<div class="chart" id="timeline-chart" role="application" tabindex="0" aria-label="Timeline of the lock by thread" aria-describedby="timeline-help timeline-status"></div>
<p class="note" id="timeline-status" role="status"></p>
<p class="note" id="timeline-help">Keys, when it has the focus: + and − zoom, arrows move, 0 shows all of it, S the slow message. With a pointer: drag, or turn the wheel
with Ctrl held.</p>
</div>
<p class="note" id="no-timeline">No timeline of this cell was recorded.</p>
${notes.map((note) => html`<p class="note">Reduced: ${note}.</p>`)}
${drawTables(timelineTables(views), 'The same as a table: what each thread did with the time')}</figure></section>
`;
}

/** The cell that is shown first: one with a convoy to be seen, if there is one. */
function indexOfFirst(views: readonly CellView[]): number {
  const recorded = ({ timeline }: CellView) => timeline !== null;
  const wanted = [(view: CellView) => recorded(view) && waited(view), recorded, waited];
  return wanted.map((isWanted) => views.findIndex(isWanted)).find((index) => index >= 0) ?? 0;
}

/** Whether its slow message spent most of its time on the lock. */
function waited({ messages }: CellView): boolean {
  const slow = messages.at(-1);
  return (
    slow?.segments.some(({ state, fromMs, untilMs }) => state === 'sleeps' && untilMs - fromMs > slow.rttMs / 2) ??
    false
  );
}

const BUTTONS = [
  ['in', '+', 'Zoom in'],
  ['out', '−', 'Zoom out'],
  ['left', '←', 'Earlier'],
  ['right', '→', 'Later'],
  ['slow', 'slow message', 'Show the slow message'],
  ['all', 'all', 'Show all of it'],
] as const;
