/** The parts of the page, each the answer to a question, and what of them the page's script draws. */
import { type Summary, summarize } from '../../figures/summary.ts';
import type { Comparison } from '../../result/fidelity-schema.ts';
import type { Result } from '../../result/result.ts';
import { detailTables } from '../details.ts';
import { originalsTable } from '../fidelity.ts';
import { groupsOf } from '../report.ts';
import { type Group, isUnloaded } from '../table.ts';
import { barsFigure } from './bars.ts';
import type { Chart, PageData } from './charts.ts';
import { fidelityFigures, verdictTable } from './fidelity.ts';
import { drawFigure, drawTable, drawTables, type Figure } from './figure.ts';
import { headlineOf } from './headline.ts';
import { type Html, html } from './html.ts';
import { lagFigure } from './lag-bars.ts';
import { barsLegend, looksLegend, overTimeLegend } from './legends.ts';
import { drawLookInto } from './look-into.ts';
import { type Looks, looksOf } from './looks.ts';
import { cellViews } from './messages.ts';
import { overTimeFigures } from './over-time.ts';
import { percentilesFigure } from './percentiles.ts';
import { sweepFigure } from './sweep.ts';
import { tradeFigure } from './trade.ts';

/** Cells in a page. A sweep can have ten thousand, and a page of them would open in no browser. */
const MAX_CELLS = 250;

export interface Sections {
  readonly headline: string;
  /** Anchor and name of each part. */
  readonly contents: readonly (readonly [id: string, name: string])[];
  readonly body: readonly Html[];
  readonly data: PageData;
  /** Whole groups of cells that are not in the page. */
  readonly leftOut: readonly string[];
}

export function sectionsOf(result: Result): Sections {
  const summaries = summarize(result);
  const groups = groupsOf(summaries);
  const shown = firstGroups(groups);
  // What a CPU thread does to a server is the question; unloaded cells are what it is held against.
  const busy = shown.filter((group) => !isUnloaded(group));
  const drawn = busy.length > 0 ? busy : shown;
  const looks = looksOf(result);
  const page = new Drawings(looks);

  const { views, notes } = cellViews(drawn.flatMap((group) => group.summaries));
  const parts: [id: string, name: string, body: Html][] = [
    ['fidelity', 'Beside the interpreters', page.fidelity(result.fidelity ?? [], summaries)],
    ['bars', 'How long it takes', page.bars(drawn, summaries, result)],
    ['sweep', 'On machines of other sizes', page.sweep(drawn)],
    ['trade', 'What it costs whom', page.trades(drawn)],
    ['percentiles', 'How long a message takes', page.percentiles(drawn)],
    ['over-time', 'As the run goes on', page.overTime(drawn)],
    ['message', '', drawLookInto(views, notes)],
    [
      'figures',
      'Every figure',
      drawTables(
        shown.flatMap((group) => detailTables(group, result.seed)),
        'All tables',
      ),
    ],
  ];
  const filled = parts.filter(([, , { text }]) => text !== '');
  return {
    headline: headlineOf(drawn.flatMap((group) => group.summaries)),
    contents: filled.map(([id, name]) => [`${id}-section`, name === '' ? 'One message, and the lock' : name]),
    body: filled.map(([id, name, body]) => (name === '' ? body : section(id, name, body))),
    data: { charts: Object.fromEntries(page.charts), cells: views },
    leftOut: groups.slice(shown.length).map(({ title }) => title),
  };
}

function firstGroups(groups: readonly Group[]): Group[] {
  let cells = 0;
  return groups.filter((group, i) => {
    cells += group.summaries.length;
    return i === 0 || cells <= MAX_CELLS;
  });
}

function section(id: string, name: string, body: Html): Html {
  return html`<section id="${id}-section" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>
${body}</section>
`;
}

/** Draws figures, and keeps what the script is to draw in them. */
class Drawings {
  readonly charts = new Map<string, Chart>();
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  fidelity(comparisons: readonly Comparison[], summaries: readonly Summary[]): Html {
    if (comparisons.length === 0) return html``;
    const figures = fidelityFigures(comparisons, summaries, this.#looks);
    const originals = originalsTable(comparisons);
    return html`${drawTable(verdictTable(comparisons))}${originals === null ? html`` : drawTable(originals)}${figures.map((figure) => this.#draw(figure, this.#curvesLegend(figure)))}`;
  }

  bars(groups: readonly Group[], summaries: readonly Summary[], result: Result): Html {
    return join(
      groups.map((group) => {
        const gui = group.summaries.some(({ cell }) => cell.scenario === 'gui');
        const figure = gui ? lagFigure(group, this.#looks) : barsFigure(group, summaries, result, this.#looks);
        const rows = figure.panels.flatMap(({ chart }) => (chart.kind === 'bars' ? chart.rows : []));
        const has = (of: (row: (typeof rows)[number]) => unknown) => rows.some((row) => of(row) !== null);
        return this.#draw(
          figure,
          gui
            ? html``
            : barsLegend(
                has((row) => row.talk),
                has((row) => row.mark),
              ),
        );
      }),
    );
  }

  sweep(groups: readonly Group[]): Html {
    const figure = sweepFigure(groups, this.#looks);
    const labels = [...new Set(groups.flatMap(policiesOf))];
    return figure === null ? html`` : this.#draw(figure, looksLegend(labels, this.#looks, 'lines'));
  }

  trades(groups: readonly Group[]): Html {
    return join(
      groups.map((group) => {
        const figure = tradeFigure(group, this.#looks);
        return figure === null ? html`` : this.#draw(figure, looksLegend(policiesOf(group), this.#looks, 'symbols'));
      }),
    );
  }

  percentiles(groups: readonly Group[]): Html {
    return join(
      groups.map((group) =>
        this.#draw(percentilesFigure(group, this.#looks), looksLegend(policiesOf(group), this.#looks, 'lines')),
      ),
    );
  }

  overTime(groups: readonly Group[]): Html {
    return join(
      groups.flatMap((group) =>
        overTimeFigures(group, this.#looks).map((figure) => this.#draw(figure, overTimeLegend())),
      ),
    );
  }

  #curvesLegend({ panels }: Figure): Html {
    const labels = panels.flatMap(({ chart }) => ('series' in chart ? chart.series.map(({ label }) => label) : []));
    return looksLegend([...new Set(labels)], this.#looks, 'lines');
  }

  /** Nothing where there is nothing to draw. */
  #draw(figure: Figure, legend: Html): Html {
    if (figure.panels.length === 0) return html``;
    return drawFigure(figure, legend, ({ chart }) => {
      const id = `chart-${this.charts.size}`;
      this.charts.set(id, chart);
      return id;
    });
  }
}

function policiesOf({ summaries }: Group): string[] {
  return [...new Set(summaries.map(({ cell }) => cell.policy))];
}

function join(parts: readonly Html[]): Html {
  return html`${parts}`;
}
