/** A real browser for tests, the one that is installed: `CHROMIUM`, or /usr/bin/chromium. None is ever downloaded. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Where it is; undefined where there is none. */
export const CHROMIUM = existsSync(PATH) ? PATH : undefined;

/** Says in a test's name why it is skipped. */
export const NEEDS_CHROMIUM = CHROMIUM === undefined ? ` (skipped: no browser at ${PATH})` : '';

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
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
