/** A real browser for tests, the one that is installed: `CHROMIUM`, or /usr/bin/chromium. None is ever downloaded. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Where it is; undefined where there is none. */
export const CHROMIUM = existsSync(PATH) ? PATH : undefined;

/** Says in a test's name why it is skipped. */
export const NEEDS_CHROMIUM = CHROMIUM === undefined ? ` (skipped: no browser at ${PATH})` : '';

/**
 * @param isQuiet whether it runs at the lowest priority: where it shares few CPUs with threads that a test measures, its own work would keep
 * them from waking up
 */
export async function startBrowser({ isQuiet = false } = {}): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-browser-'));
  const browser = await chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: isQuiet ? niceOf(CHROMIUM, folder) : CHROMIUM }),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  browser.once('disconnected', () => rmSync(folder, { recursive: true }));
  return browser;
}

/** A command that runs another at the lowest priority: the browser is started with its arguments first. */
function niceOf(command: string, folder: string): string {
  const path = join(folder, 'chromium');
  writeFileSync(path, `#!/bin/sh\nexec nice -n 19 '${command}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A page, and what it complains of or asks for: what is in a file needs no request. */
export async function openPage(
  browser: Browser,
  size: { readonly width: number; readonly height: number },
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: size });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.isNavigationRequest() && !request.url().startsWith('data:'))
      complaints.push(`request: ${request.url()}`);
  });
  return { page, complaints };
}

/**
 * Opens a page and waits until it has painted a frame after its script was ready: from then on it answers.
 *
 * @returns after how long
 */
export async function usableMs(page: Page, address: string): Promise<number> {
  await page.goto(address);
  const painted = 'new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))))';
  return (await page.evaluate(painted)) as number;
}
