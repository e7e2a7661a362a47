/** `convoy report` and `--report`: the page, opened in a real browser where there is one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { type Assets, renderHtml } from '../../bench/render/html/page.ts';
import type { Cell, Result } from '../../bench/result/result.ts';
import { besideInterpreters } from '../bench/render/beside-interpreters.ts';
import { fullMatrix, sweep } from '../bench/render/full-matrix.ts';
import { cell, measured, result, roundsOf } from '../bench/result-builder.ts';
import { CHROMIUM, NEEDS_CHROMIUM, openPage, startBrowser, usableMs } from '../browser.ts';
import { compiled } from '../compiled.ts';
import { convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&<!--`;

/** Of each chart: what names it, what sums it up, and how many rows its tables have. Runs in the page. */
const DESCRIBED = `[...document.querySelectorAll('[role=img]')].map((element) => {
  const text = (attribute) =>
    element.getAttribute('aria-label') ??
    (element.getAttribute(attribute) ?? '').split(' ').map((id) => document.getElementById(id)?.textContent).join(' ');
  const rows = element.closest('figure').querySelectorAll('details tbody tr').length;
  return { name: text('aria-labelledby'), summary: text('aria-describedby'), rows };
})`;

/** Brings every chart into view, and waits until it is drawn; how many are not within ten seconds. Runs in the page. */
const SCROLL_THROUGH = `(async () => {
  const charts = [...document.querySelectorAll('.chart')].filter((chart) => chart.offsetParent !== null);
  const deadline = performance.now() + 10_000;
  for (const chart of charts) {
    chart.scrollIntoView({ behavior: 'instant', block: 'center' });
    while (chart.querySelector('svg') === null && performance.now() < deadline) await new Promise(requestAnimationFrame);
  }
  return charts.filter((chart) => chart.querySelector('svg') === null).length;
})()`;

let folder: string;
let assets: Assets;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-report-'));
  // What a page is made of lies beside the compiled command.
  const { readAssets } = (await import(compiled('bench/outputs/report-assets.js').href)) as {
    readAssets(): Promise<Assets>;
  };
  assets = await readAssets();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The page of a result, in a file, as the command writes it: the first test holds the two together. */
function reportOf(name: string, made: Result): string {
  const page = join(folder, `${name.replaceAll(' ', '-')}.html`);
  if (!existsSync(page)) writeFileSync(page, renderHtml(made, assets));
  return page;
}

/** The largest page there is a limit for. */
function fullPage(): string {
  return reportOf('full', fullMatrix(10_000, ['py32/blocking', 'pypy16/blocking', 'priority/blocking']));
}

const loaded = (policy: string, server: string, ms: number, options = {}): Cell[] => [
  cell(`${policy}/${server} unloaded`, roundsOf([1.1, 1.2, 1.15])),
  cell(`${policy}/${server} loaded`, roundsOf([ms, ms * 1.1, ms * 0.9], { kept: 0.9, ...options })),
];
const columns = (...labels: string[]): Result['policies'] =>
  result(labels.map((label) => cell(`${label}/x loaded`, []))).policies;

const SMALL = fullMatrix(200, ['py32/blocking']);

/** Every kind of result there is, and some that should not be. */
const RESULTS: Readonly<Record<string, Result>> = {
  'the full matrix': fullMatrix(200, ['py32/blocking', 'pypy16/nonblocking']),
  'only unloaded': result([cell('py32/blocking unloaded', roundsOf([1.1]))]),
  'no cell at all': result([]),
  'nothing measured': result([
    cell('py32/blocking unloaded', [{ state: 'failed', round: 1, message: HOSTILE }]),
    cell('py32/blocking loaded', []),
  ]),
  'one message': result([
    cell('py32/blocking unloaded', [measured({ rttMs: [0.1] })]),
    cell('py32/blocking loaded', [measured({ rttMs: [5], kept: 0.9 })]),
  ]),
  'no message': result([cell('py32/blocking loaded', [measured({ rttMs: [], kept: 0.9 })])]),
  'several scenarios': result([
    ...loaded('py32', 'blocking', 6),
    cell('py32/blocking offloaded', roundsOf([1.2], { kept: 1 })),
  ]),
  'the editor': result([
    ...['py32', 'priority(spinner-priority=0)'].flatMap((policy) => [
      cell(`${policy}/editor unloaded`, roundsOf([1.5])),
      cell(`${policy}/editor gui`, roundsOf([115], { kept: 0.9 })),
    ]),
  ]),
  'an interpreter whose lock is not known': result(loaded('PyPy 7.3.11', 'blocking', 120, { counted: false }), {
    policies: [
      {
        label: 'PyPy 7.3.11',
        from: {
          kind: 'interpreter',
          path: '/usr/bin/pypy3',
          implementation: 'PyPy',
          version: '7.3.11',
          language: [3, 9, 16],
          build: 'x',
          freeThreaded: false,
          switchIntervalNs: null,
          pyzmq: null,
        },
      },
    ],
  }),
  'policies beside interpreters': besideInterpreters(),
  'a sweep of a simulated machine': result(sweep([1, 4, 16], 2)),
  'hostile names': result(loaded(HOSTILE, 'blocking', 6), {
    policies: columns(HOSTILE),
    argv: ['bench', HOSTILE],
    warnings: [{ kind: 'failed', message: HOSTILE, advice: HOSTILE }],
  }),
  'many columns': result(
    Array.from({ length: 14 }, (_, i) => loaded(`py32(interval=${i + 1}ms)`, 'blocking', i + 1)).flat(),
  ),
};

describe('a page', () => {
  it('is what the command makes of a file', async () => {
    const [json, page] = [join(folder, 'result.json'), join(folder, 'by-command.html')];
    const made = fullMatrix(20, ['py32/blocking']);
    writeFileSync(json, JSON.stringify(made));
    expect(await convoy('report', json, '-o', page)).toEqual({ code: EXIT.ok, stdout: '', stderr: '' });
    expect(readFileSync(page, 'utf8') === renderHtml(made, assets)).toBe(true);
  });

  it('is one file that refers to nothing outside of it, and allows nothing else', () => {
    const text = readFileSync(reportOf('alone', fullMatrix(20)), 'utf8');
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(text) ?? [];
    expect(policy).toMatch(/^default-src &#39;none&#39;; script-src (&#39;sha256-[\w+/=]+&#39; ?){2};/);
    // Outside of the library's own text.
    const own = text.replace(/<script type="text\/javascript">[\s\S]*?<\/script>/, '');
    expect(own.length).toBeLessThan(text.length - 1e6);
    expect([...own.matchAll(/\b(?:src|href|action)="([^#"][^"]*)"/g)].map(([, to]) => to)).toEqual(['data:,']);
    expect(own).not.toMatch(/url\((?!#)|@import|https?:/);
  });

  it('is no more than 5 MB for the full matrix of 10,000 messages, with timelines', () => {
    const page = fullPage();
    expect(statSync(page).size).toBeLessThan(5e6);
    const text = readFileSync(page, 'utf8');
    expect(text).toContain('Reduced: each line goes through the 26 percentiles');
    expect(text).toMatch(
      /Reduced: of the timeline of py32\/blocking loaded, [\d.]+ s long, the [\d.]+ s around the slow message/,
    );
  });

  it('is written by bench and simulate, too', async () => {
    const page = join(folder, 'simulated.html');
    const args = ['--server', 'blocking', '--policy', 'py32,priority', '--messages', '20', '--report', page];
    expect(await convoy('simulate', ...args)).toMatchObject({ code: EXIT.ok });
    expect(readFileSync(page, 'utf8')).toContain('convoy simulate --server blocking');
    const measuredPage = join(folder, 'measured.html');
    const bench = ['--server', 'blocking', '--policy', 'free-threaded', '--messages', '5', '--report', measuredPage];
    expect(await convoy(...bench, '--scenario', 'unloaded')).toMatchObject({ code: EXIT.ok });
    expect(readFileSync(measuredPage, 'utf8')).toContain('free-threaded');
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2), /no JSON, or was cut off/],
    ['foreign', () => '{"format":"something-else"}', /no result of Convoy/],
    [
      'of the future',
      (text: string) => text.replace('"version":1', '"version":99'),
      /version 99, and this Convoy reads/,
    ],
    ['not whole', (text: string) => text.replace('"seed"', '"sead"'), /is not whole/],
  ])('is not made of a file that is %s', async (name, change, message) => {
    const file = join(folder, 'bad.json');
    writeFileSync(file, change(JSON.stringify(fullMatrix(3))));
    const { code, stderr } = await runHere('report', file, '-o', join(folder, `${name}.html`));
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.usage);
  });

  it('is refused where it could not be written, before anything runs', async () => {
    const { code, stderr } = await runHere('--report', '/proc/no/such.html');
    expect(stderr).toMatch(/--report: .* cannot be written/);
    expect(code).toBe(EXIT.usage);
  });
});

describe.skipIf(CHROMIUM === undefined)(`in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  async function open(file: string, size = WIDE): Promise<{ page: Page; complaints: string[] }> {
    const opened = await openPage(browser, size);
    await opened.page.goto(`file://${file}`);
    await opened.page.waitForSelector('html[data-ready]');
    return opened;
  }

  /** Until everything that is drawn when it is seen has been seen. */
  async function scrollThrough(page: Page): Promise<void> {
    const left = await page.evaluate(SCROLL_THROUGH);
    expect(left).toBe(0);
  }

  it.each(Object.keys(RESULTS))('opens, of %s, without a complaint or a request, wide and on a phone', async (name) => {
    const file = reportOf(name, RESULTS[name] as Result);
    const opens = async (size: typeof WIDE) => {
      const { page, complaints } = await open(file, size);
      await scrollThrough(page);
      expect(complaints).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(size.width);
      await page.close();
    };
    await Promise.all([WIDE, PHONE].map(opens));
  });

  it('shows hostile names as the text they are', async () => {
    const { page } = await open(reportOf('hostile names', RESULTS['hostile names'] as Result));
    await scrollThrough(page);
    expect(await page.locator('img, script:not([type])').count()).toBe(0);
    expect(await page.locator('.command').textContent()).toContain('</script><script>alert(1)</script>');
    expect(await page.locator('#bars-section h4').first().textContent()).toBe(HOSTILE);
    await page.close();
  });

  it('gives every chart a name, a summary and its numbers in a table', async () => {
    const { page } = await open(reportOf('small', SMALL));
    await page.locator('#message').scrollIntoViewIfNeeded();
    await page.locator('#message svg').waitFor();
    const charts = (await page.evaluate(DESCRIBED)) as { name: string; summary: string; rows: number }[];
    expect(charts.length).toBeGreaterThan(30);
    for (const { name, summary, rows } of charts) {
      expect(name).not.toBe('');
      expect(summary).toMatch(/\d/);
      expect(rows).toBeGreaterThan(1);
    }
    await page.close();
  });

  // How many seconds that is shows `npm run bench:report`, on a machine that does nothing else: an empty page takes some 0.3.
  it('is usable, of the full matrix of 10,000 messages, within five times what one with nothing in it takes', async () => {
    const files = { full: fullPage(), empty: reportOf('no cell at all', RESULTS['no cell at all'] as Result) };
    // The quickest: what a busy machine adds is not the page's.
    const quickestMs = { full: Infinity, empty: Infinity };
    for (let time = 0; time < 3; time++) {
      for (const which of ['full', 'empty'] as const) {
        const { page, complaints } = await openPage(browser, WIDE);
        quickestMs[which] = Math.min(quickestMs[which], await usableMs(page, `file://${files[which]}`));
        await page.locator('#theme').click();
        expect(complaints).toEqual([]);
        await page.close();
      }
    }
    expect(quickestMs.full / quickestMs.empty, JSON.stringify(quickestMs)).toBeLessThan(5);
  });

  it('zooms the timeline by buttons, keys, wheel and drag', async () => {
    const { page, complaints } = await open(reportOf('small', SMALL));
    const chart = page.locator('#timeline-chart');
    const status = page.locator('#timeline-status');
    await page.locator('#message').scrollIntoViewIfNeeded();
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('svg').waitFor();
    const view = async () => {
      const [, from, until] = /from ([\d.]+) to ([\d.]+) ms/.exec((await status.textContent()) ?? '') ?? [];
      return { from: Number(from), until: Number(until), width: Number(until) - Number(from) };
    };
    const slow = await view();
    expect(slow.width).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Show all of it' }).click();
    const all = await view();
    expect(all.width).toBeGreaterThan(20 * slow.width);
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect((await view()).width).toBeCloseTo(all.width / 2, -1);

    await chart.focus();
    await page.keyboard.press('+');
    const zoomed = await view();
    expect(zoomed.width).toBeCloseTo(all.width / 4, -1);
    await page.keyboard.press('ArrowRight');
    expect((await view()).from).toBeGreaterThan(zoomed.from);
    await page.keyboard.press('0');
    expect((await view()).width).toBe(all.width);
    await page.keyboard.press('s');
    expect(await view()).toEqual(slow);

    const box = (await chart.boundingBox()) ?? { x: 0, y: 0 };
    await page.mouse.move(box.x + 500, box.y + 60);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await expect.poll(async () => (await view()).width).toBeLessThan(slow.width);
    const before = await view();
    await page.mouse.down();
    await page.mouse.move(box.x + 700, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => (await view()).from).toBeLessThan(before.from);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('changes the cell that is looked into, and between light and dark', async () => {
    const { page, complaints } = await open(reportOf('small', SMALL));
    await page.locator('#message').scrollIntoViewIfNeeded();
    await page.locator('#message svg').waitFor();
    expect(await page.locator('#cell option:checked').textContent()).toBe('py32/blocking loaded · timeline');
    const summary = await page.locator('#message').getAttribute('aria-label');
    expect(summary).toMatch(/slow message, [\d.]+ ms: .*waiting for the lock/);
    await page.locator('#cell').selectOption('priority/zeromq loaded');
    expect(await page.locator('#message').getAttribute('aria-label')).not.toBe(summary);
    expect(await page.locator('#no-timeline').isVisible()).toBe(true);
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await paper();
    await page.locator('#theme').click();
    expect(await paper()).not.toBe(before);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
