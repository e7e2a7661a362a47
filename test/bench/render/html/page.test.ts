/** What the page says is what the tables say, and what it was given stays text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureOf } from '../../../../bench/figures/metrics.ts';
import { summarize } from '../../../../bench/figures/summary.ts';
import { detailTables } from '../../../../bench/render/details.ts';
import { figureRow } from '../../../../bench/render/fidelity.ts';
import { html, jsonScript } from '../../../../bench/render/html/html.ts';
import { unpackTimeline, visibleSpans } from '../../../../bench/render/html/options/timeline.ts';
import { renderHtml } from '../../../../bench/render/html/page.ts';
import { sectionsOf } from '../../../../bench/render/html/sections.ts';
import { packTimeline, windowAround } from '../../../../bench/render/html/timelines.ts';
import { groupsOf } from '../../../../bench/render/report.ts';
import { measured, result } from '../../result-builder.ts';
import { besideInterpreters } from '../beside-interpreters.ts';
import { convoyOf, fullMatrix, sweep } from '../full-matrix.ts';

const matrix = fullMatrix(100, ['py32/blocking']);
const text = renderHtml(matrix, { library: '', script: '', styles: '' });
const { data } = sectionsOf(matrix);
const summaries = summarize(matrix);

/** What a reader sees of markup. */
const seen = (markup: string) =>
  markup.replace(/<[^>]*>/g, ' ').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));

describe('the same numbers', () => {
  it('stand in the page as in every other format: each value of each table', () => {
    const values = seen(text);
    for (const group of groupsOf(summaries)) {
      for (const { title, rows } of detailTables(group, matrix.seed)) {
        expect(values).toContain(title);
        for (const value of rows.flat()) expect(values).toContain(value);
      }
    }
  });

  it('are those of the charts', () => {
    const bars = Object.values(data.charts).flatMap((chart) => (chart.kind === 'bars' ? chart.rows : []));
    const loaded = summaries.filter(({ cell }) => cell.scenario === 'loaded');
    const totals = loaded.map((summary) => Number(((figureOf(summary, 'total') ?? 0) / 1e9).toPrecision(4)));
    expect(bars.map(({ value }) => value).sort()).toEqual(totals.sort());
    const curves = Object.values(data.charts).flatMap((chart) => (chart.kind === 'percentiles' ? chart.series : []));
    const p90s = loaded.map((summary) => Number(((figureOf(summary, 'p90') ?? 0) / 1e6).toPrecision(4)));
    expect(curves.map(({ points }) => points.find(([percent]) => percent === 90)?.[1]).sort()).toEqual(p90s.sort());
    expect(curves.map(({ maxMs }) => maxMs).sort()).toEqual(
      loaded.map((summary) => Number(((figureOf(summary, 'max') ?? 0) / 1e6).toPrecision(4))).sort(),
    );
  });

  it('are the talk’s beside ours, where it has one', () => {
    const py32 = Object.values(data.charts).find((chart) => chart.kind === 'bars' && chart.rows[0]?.look === 1);
    expect(py32?.kind === 'bars' && py32.rows.map(({ label, talk }) => [label, talk?.value])).toEqual([
      ['native', 12.6],
      ['zeromq', 91.6],
      ['multiprocessing', 103.3],
      ['blocking', 142.7],
      ['nonblocking', 126.2],
    ]);
  });
});

describe('policies beside interpreters', () => {
  const compared = besideInterpreters();
  const comparisons = compared.fidelity ?? [];
  const page = seen(renderHtml(compared, { library: '', script: '', styles: '' }));

  it('are shown with every figure of the comparison, and with every verdict', () => {
    expect(comparisons).toHaveLength(6);
    for (const comparison of comparisons) {
      const name = `${comparison.policy} beside ${comparison.reference}, ${comparison.server}`;
      if (comparison.state === 'missing') {
        expect(page).toContain(`${name}: this interpreter has no pyzmq`);
        continue;
      }
      expect(page).toContain(`${name}: 3 rounds`);
      expect(page).toMatch(new RegExp(`[✓✗?] ${comparison.verdict}`));
      for (const figure of comparison.figures) for (const value of figureRow(figure)) expect(page).toContain(value);
    }
    expect(seen(text)).not.toContain('Beside the interpreters');
  });

  it('have their round trips drawn over each other, those of the comparison', () => {
    const { charts } = sectionsOf(compared).data;
    const pairs = Object.values(charts).filter((chart) => chart.kind === 'percentiles' && chart.series.length === 2);
    const drawn = comparisons.filter(({ state }) => state === 'compared');
    expect(pairs).toHaveLength(drawn.length);
    for (const [i, chart] of pairs.entries()) {
      const comparison = drawn[i];
      if (chart.kind !== 'percentiles' || comparison?.state !== 'compared') throw new Error('no pair');
      const [emulated, real] = chart.series;
      expect([emulated?.label, real?.label]).toEqual([comparison.policy, comparison.reference]);
      for (const { percent, emulatedNs, realNs } of comparison.percentiles.filter(
        ({ percent: p }) => p >= 5 && p <= 99,
      )) {
        const at = (points: readonly (readonly [number, number])[] = []) => points.find(([p]) => p === percent)?.[1];
        const [wanted, found] = [
          [emulatedNs, realNs],
          [at(emulated?.points), at(real?.points)],
        ];
        if (found.some((each) => each === undefined)) continue;
        expect(found).toEqual(wanted.map((ns) => Number((ns / 1e6).toPrecision(4))));
      }
    }
  });
});

it('a page of a sweep of thousands of cells says which it leaves out', () => {
  const cells = sweep(
    Array.from({ length: 32 }, (_, i) => i + 1),
    9,
  );
  const page = renderHtml(result(cells), { library: '', script: '', styles: '' });
  expect(page.length).toBeLessThan(4e6);
  expect(seen(page)).toMatch(
    /Reduced: without \d+ groups of cells, from «loaded on \d+ CPUs[^»]*» to «loaded on 32 CPUs, 9 CPU threads»/,
  );
});

describe('a message in pieces', () => {
  it('is as long as its pieces, with a timeline and without', () => {
    for (const { messages } of data.cells) {
      for (const { segments, rttMs } of messages) {
        expect(segments.at(-1)?.untilMs).toBeCloseTo(rttMs, 1);
        for (const [i, { fromMs }] of segments.entries()) expect(fromMs).toBe(i === 0 ? 0 : segments[i - 1]?.untilMs);
      }
    }
  });

  it('is in the order in which it happened where a timeline was recorded, and names its calls', () => {
    const view = data.cells.find(({ name }) => name === 'py32/blocking loaded');
    expect(view?.exact).toBe(true);
    expect(view?.messages[1]?.segments.map(({ state, call }) => call ?? state)).toEqual([
      'send',
      'wants',
      'sleeps',
      'runs',
      'send',
    ]);
    expect(seen(text)).toMatch(
      /the steps of the slow message\s+from, ms\s+for, ms[\s\S]*in send[\s\S]*waits for the lock/,
    );
  });
});

describe('a timeline in a page', () => {
  const trip = fc.record({ pauseMs: fc.integer({ min: 1, max: 20 }), rttMs: fc.integer({ min: 1, max: 50 }) });
  const timelines = fc.array(trip, { minLength: 1, maxLength: 40 }).map((trips) => {
    let atMs = 0;
    const sentMs = trips.map(({ pauseMs, rttMs }) => {
      atMs += pauseMs + rttMs;
      return atMs - rttMs;
    });
    return convoyOf(measured({ sentMs, rttMs: trips.map(({ rttMs }) => rttMs) }));
  });

  it('has no more events than it may, keeps the middle of what is looked at, and says what every thread did at any time in it', () => {
    fc.assert(
      fc.property(
        timelines,
        fc.integer({ min: 10, max: 400 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (timeline, most, at) => {
          const centreNs = timeline.fromNs + at * (timeline.untilNs - timeline.fromNs);
          const window = windowAround(timeline, centreNs, most);
          expect(window.fromNs).toBeLessThanOrEqual(Math.ceil(centreNs));
          expect(window.untilNs).toBeGreaterThanOrEqual(Math.floor(centreNs));
          const packed = packTimeline(timeline, window, []);
          const count = packed.threads.reduce((sum, { events }) => sum + events.length, 0);
          // The state in which each thread was at the beginning comes on top.
          expect(count).toBeLessThanOrEqual(most + timeline.threads.length);
          if (window.untilNs === window.fromNs) return;
          const threads = unpackTimeline(packed);
          expect(threads.map(({ name }) => name)).toEqual(timeline.threads.map(({ name }) => name));
          for (const { spans } of threads) {
            expect(spans[0]?.fromNs).toBe(window.fromNs);
            expect(spans.at(-1)?.untilNs).toBe(window.untilNs);
            for (const [i, span] of spans.entries()) if (i > 0) expect(span.fromNs).toBe(spans[i - 1]?.untilNs);
          }
        },
      ),
    );
  });

  it('draws no more than there are pixels, and leaves no gap, however far it is zoomed out', () => {
    fc.assert(
      fc.property(timelines, fc.integer({ min: 10, max: 500 }), (timeline, widthPx) => {
        const [thread] = unpackTimeline(packTimeline(timeline, timeline, []));
        const spans = thread?.spans ?? [];
        const pixelNs = (timeline.untilNs - timeline.fromNs) / widthPx;
        const drawn = visibleSpans(spans, timeline.fromNs, timeline.untilNs, pixelNs);
        expect(drawn.length).toBeLessThanOrEqual(2 * widthPx + 1);
        for (const [i, span] of drawn.entries()) if (i > 0) expect(span.fromNs).toBe(drawn[i - 1]?.untilNs);
        expect(drawn.at(-1)?.untilNs).toBe(spans.at(-1)?.untilNs);
      }),
    );
  });
});

describe('markup', () => {
  it('takes every string for text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { text: markup } = html`<p title="${value}">${value}</p>`;
        expect(markup).toMatch(/^<p title="[^<>"']*">[^<>"']*<\/p>$/);
        expect(seen(markup).trim()).toBe(value.trim());
      }),
    );
  });

  it('keeps data in its script, and unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { text: markup } = jsonScript('data', value);
        expect(markup.match(/</g)).toHaveLength(2);
        expect(JSON.parse(markup.slice(markup.indexOf('>') + 1, markup.lastIndexOf('<')))).toEqual(
          JSON.parse(JSON.stringify(value)),
        );
      }),
    );
    expect(jsonScript('data', ['</script><!--<script>']).text).not.toContain('</script><');
  });
});
