/** A chart with everything that makes it readable without seeing it: a name, a summary, and the same data as a table. */
import type { Table } from '../table.ts';
import type { Chart } from './charts.ts';
import { type Html, html } from './html.ts';

/** One drawing. */
export interface Panel {
  readonly title: string;
  /** What is to be seen, in a sentence or two: the drawing's text for who does not see it. */
  readonly summary: string;
  readonly chart: Chart;
  readonly heightPx: number;
}

/** Drawings that belong together. */
export interface Figure {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** How wide a panel is at least, where the page has room. */
  readonly panelWidth: 'narrow' | 'middle' | 'wide';
  /** How to read it, a line each. */
  readonly notes: readonly string[];
  /** The same data. */
  readonly tables: readonly Table[];
}

/** @param idOf the element of a panel in the page */
export function drawFigure(
  { title, panels, panelWidth, notes, tables }: Figure,
  legend: Html,
  idOf: (panel: Panel) => string,
): Html {
  return html`<figure>
<figcaption><h3>${title}</h3>${legend}</figcaption>
<div class="panels ${panelWidth}">${panels.map((panel) => drawPanel(panel, idOf(panel)))}</div>
${notes.map((note) => html`<p class="note">${note}</p>`)}
${drawTables(tables, 'The same as a table')}
</figure>
`;
}

function drawPanel({ title, summary, heightPx }: Panel, id: string): Html {
  return html`<div class="panel"><h4 id="${id}-name">${title}</h4>
<div class="chart" id="${id}" role="img" aria-labelledby="${id}-name" aria-describedby="${id}-summary" style="height:${heightPx}px"></div>
<p class="unseen" id="${id}-summary">${summary}</p></div>
`;
}

/** Tables behind a line that opens them. */
export function drawTables(tables: readonly Table[], label: string): Html {
  return tables.length === 0 ? html`` : html`<details><summary>${label}</summary>${tables.map(drawTable)}</details>`;
}

/** A table that scrolls by itself where the page is narrow. */
export function drawTable({ title, head, keys, rows, notes }: Table): Html {
  const cell = (text: string, column: number) =>
    column < keys ? html`<th scope="row">${text.trim()}</th>` : html`<td>${text}</td>`;
  return html`<div class="table" role="region" aria-label="${title}" tabindex="0"><table><caption>${title}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>
${notes.map((note) => html`<p class="note">${note}</p>`)}
`;
}
