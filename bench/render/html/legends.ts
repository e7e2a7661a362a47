/** What the marks of a drawing mean: above it, as text with a sample of the mark. */

import { type Html, html } from './html.ts';
import type { Looks } from './looks.ts';
import { STATE_WORDS } from './messages.ts';
import { lookOf } from './options/looks.ts';

export function barsLegend(published: boolean, marked: boolean): Html {
  return legend([
    key(
      html`<rect width="8" height="10" fill="var(--look-0)" /><rect x="8" width="8" height="10" fill="var(--look-1)" /><rect x="16" width="8" height="10" fill="var(--look-3)" />`,
      'measured',
    ),
    ...(published
      ? [
          key(
            html`<rect x=".5" y=".5" width="23" height="9" fill="url(#hatch-talk)" stroke="var(--quiet)" />`,
            'published in the talk',
          ),
        ]
      : []),
    ...(marked ? [key(html`<rect x="11" width="2" height="10" fill="var(--ink)" />`, 'the same, unloaded')] : []),
  ]);
}

/** @param what of a look is in the drawing */
export function looksLegend(labels: readonly string[], looks: Looks, what: 'lines' | 'symbols'): Html {
  return legend(
    labels.map((label) => {
      const { colour, dash, symbol } = lookOf(looks(label));
      const line = html`<path d="M0 5H24" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash.join(' ')}" />`;
      return key(
        html`${what === 'lines' ? line : html``}<path d="${symbol}" fill="${colour}" transform="translate(7 0)" />`,
        label,
      );
    }),
  );
}

export function overTimeLegend(): Html {
  return legend([
    key(html`<rect width="24" height="10" fill="var(--look-1)" opacity=".28" />`, 'fastest to slowest'),
    key(html`<path d="M0 5H24" stroke="var(--look-1)" stroke-width="2" />`, 'median'),
  ]);
}

export function statesLegend(): Html {
  return legend([
    key(html`<rect width="24" height="10" fill="var(--state-runs)" />`, STATE_WORDS.runs),
    key(html`<rect y="1" width="24" height="8" fill="url(#hatch-sleeps)" />`, STATE_WORDS.sleeps),
    key(html`<rect y="1" width="24" height="8" fill="var(--state-wants)" />`, STATE_WORDS.wants),
    key(html`<rect y="4" width="24" height="2" fill="var(--state-call)" />`, STATE_WORDS.call),
  ]);
}

export function marksLegend(): Html {
  return legend([
    key(html`<path d="M7 1H17L12 9Z" fill="var(--ink)" />`, 'asked the holder to give the lock up'),
    key(html`<path d="M7 9H17L12 1Z" fill="var(--ink)" />`, 'gave it up'),
    key(html`<path d="M8 1L16 9M16 1L8 9" stroke="var(--ink)" stroke-width="2" />`, 'came back: another had taken it'),
  ]);
}

function legend(keys: readonly Html[]): Html {
  return html`<ul class="legend">${keys}</ul>`;
}

function key(sample: Html, text: string): Html {
  return html`<li><svg width="24" height="10" viewBox="0 0 24 10" aria-hidden="true">${sample}</svg>${text}</li>`;
}
