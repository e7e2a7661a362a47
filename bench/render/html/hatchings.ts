/** Hatchings that the drawings name, for a page or a picture. */
import { html } from './html.ts';

export const HATCHINGS = html`<pattern id="hatch-talk" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="var(--quiet)" stroke-width="2" /></pattern>
<pattern id="hatch-sleeps" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="var(--state-wait)" opacity=".45" /><path d="M0 0V5" stroke="var(--state-wait)" stroke-width="4" /></pattern>`;
