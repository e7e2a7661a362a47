/**
 * The demo in a real browser. It runs at the lowest priority, because on a machine of few CPUs it shares them with the very threads it
 * shows, and its own work on a key stroke would keep the CPU thread from waking up.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, NEEDS_CHROMIUM, startBrowser } from '../browser.ts';
import type { Convoy } from './convoy.ts';
import { startDemo } from './demo.ts';

const TYPED = 'To be, or not to be, that is a question.';
const PACE_MS = 60;
/**
 * The effect is one of two CPUs: a CPU thread wakes up on one while the event loop is in a call on the other. Where somebody else has one of
 * two, one CPU thread and the event loop share the other, the call is over before its turn, and the lag is 8 ms instead of 117. Of four,
 * one is awake in time: 9 times the lag of priority even beside a busy loop.
 */
const SPINNERS = 4;

describe.skipIf(CHROMIUM === undefined)(`the demo in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: Browser;
  let run: Convoy;
  let address: string;

  beforeAll(async () => {
    browser = await startBrowser({ isQuiet: true });
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    run.process.kill('SIGINT');
    await run.finished();
    expect(await run.leftovers()).toEqual([]);
  });

  /** The page, and everything that it complains of or asks of anybody else. */
  async function open(
    options: Parameters<Browser['newPage']>[0],
    ...args: string[]
  ): Promise<{ page: Page; faults: string[] }> {
    ({ run, address } = await startDemo(...args));
    const page = await browser.newPage(options);
    const faults: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(address)) faults.push(`asks for ${request.url()}`);
    });
    await page.goto(address);
    return { page, faults };
  }

  const box = (page: Page) => page.getByRole('textbox', { name: 'Type here' });
  const runs = (page: Page, setting: string) => page.getByRole('status').getByText(`${setting}: running.`);

  /** Chooses a policy and types, as a user does; returns the median lag it shows. */
  async function type(page: Page, setting: string): Promise<number> {
    const [policy] = setting.split(' ');
    await page.getByRole('radio', { name: new RegExp(`^${policy} `) }).check();
    await runs(page, setting).waitFor();
    const before = await box(page).inputValue();
    await box(page).focus();
    await page.keyboard.type(TYPED, { delay: PACE_MS });
    await expect.poll(() => box(page).inputValue(), { timeout: 40_000 }).toBe(before + TYPED);
    const row = page.getByRole('row', { name: new RegExp(`^${policy} `) });
    await expect.poll(() => row.getByRole('cell').nth(6).textContent()).toBe(String(TYPED.length));
    return inMs((await row.getByRole('cell').nth(0).textContent()) ?? '');
  }

  it.each([1280, 390])(
    'at %i px: no key is lost, nothing is complained of, nothing is wider than the page, the median lag is in sight',
    async (width) => {
      const { page, faults } = await open({ viewport: { width, height: 844 } });
      await runs(page, 'py32 · 1 CPU thread').waitFor();
      await box(page).focus();
      await page.keyboard.type('lag');
      await page.keyboard.press('Backspace');
      await page.keyboard.press('Enter');
      await page.keyboard.type('🙂');
      await expect.poll(() => box(page).inputValue()).toBe('la\n🙂');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Delete');
      await expect.poll(() => box(page).inputValue()).toBe('la\n');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const median = await page.getByRole('columnheader', { name: 'median lag' }).boundingBox();
      expect((median?.x ?? Infinity) + (median?.width ?? 0)).toBeLessThanOrEqual(width);
      await expect.poll(() => page.locator('.lane').count()).toBe(2);
      expect(faults).toEqual([]);
      await page.close();
    },
  );

  it(`shows the difference: beside ${SPINNERS} CPU threads 40 keys lag 5 times as long under py32 as under priority`, async () => {
    const { page, faults } = await open({ viewport: { width: 1280, height: 900 } }, '--spinners', `${SPINNERS}`);
    await runs(page, `py32 · ${SPINNERS} CPU threads`).waitFor();
    const py32 = await type(page, `py32 · ${SPINNERS} CPU threads`);
    const priority = await type(page, `priority · ${SPINNERS} CPU threads at −1`);
    expect(py32 / priority, `py32 ${py32} ms, priority ${priority} ms`).toBeGreaterThanOrEqual(5);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('is used by keyboard alone, while the event loop starves too', async () => {
    const { page, faults } = await open({ viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await runs(page, 'py32 · 1 CPU thread').waitFor();
    // The box, the policy, how many CPU threads, their priority: above the event loop's.
    await press('Tab', 'Tab', 'ArrowDown', 'ArrowDown', 'Tab', 'Tab', 'ArrowRight', 'ArrowRight');
    await runs(page, 'priority · 1 CPU thread at 1').waitFor();
    await press('Shift+Tab', 'Shift+Tab', 'Shift+Tab', ...'starving');
    await page.getByRole('status').getByText('No answer for more than').waitFor();
    expect(await box(page).inputValue()).toBe('');
    await press('Tab', 'Tab', 'Tab', 'ArrowLeft', 'ArrowLeft');
    await runs(page, 'priority · 1 CPU thread at −1').waitFor();
    await expect.poll(() => box(page).inputValue()).toBe('starving');
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says so when the demo has ended', async () => {
    const { page, faults } = await open({ viewport: { width: 1280, height: 900 } });
    await runs(page, 'py32 · 1 CPU thread').waitFor();
    run.process.kill('SIGINT');
    await page.getByRole('status').getByText('The demo has ended.').waitFor();
    expect(await box(page).isEditable()).toBe(false);
    expect(faults).toEqual([]);
    await page.close();
  });
});

/** `118 ms`, `1.4 s`. */
function inMs(text: string): number {
  const [, number = '', unit] = /^([\d.]+) (m?s)$/.exec(text) ?? [];
  return Number(number) * (unit === 's' ? 1e3 : 1);
}
