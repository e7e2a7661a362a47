/**
 * A result as one page that needs nothing else: no request to anywhere, no script and no style that is not in it. The numbers are
 * those of the tables; the page's script draws the charts, and each is in the page as a table, too.
 */
import { createHash } from 'node:crypto';
import { formatDuration } from '../../../lock/duration.ts';
import { formatSize } from '../../options/size.ts';
import type { Environment, Result } from '../../result/result.ts';
import { plural } from '../format.ts';
import { headOf } from '../report.ts';
import { drawTable } from './figure.ts';
import { HATCHINGS } from './hatchings.ts';
import { type Html, html, jsonScript, trusted } from './html.ts';
import { sectionsOf } from './sections.ts';

/** What is put into the page beside the result: texts that `bench/outputs/report-assets.ts` reads. */
export interface Assets {
  /** The chart library, which makes a global `echarts`. */
  readonly library: string;
  /** The page's script. */
  readonly script: string;
  readonly styles: string;
}

export function renderHtml(result: Result, { library, script, styles }: Assets): string {
  const { headline, contents, body, data, leftOut } = sectionsOf(result);
  const scripts = [library, script];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${headline} · Convoy</title>
<link rel="icon" href="data:,">
<style>${trusted(styles)}</style>
</head>
<body>
<svg class="patterns" aria-hidden="true"><defs>${HATCHINGS}</defs></svg>
<header>
<p class="kicker">Convoy <button type="button" id="theme">light / dark</button></p>
<h1>${headline}</h1>
${headOf(result).map((line) => html`<p class="lead">${line}</p>`)}
<pre class="command" tabindex="0" aria-label="The command that made it"><code>${commandOf(result.argv)}</code></pre>
${warningsOf(result)}
<nav aria-label="Contents"><ul>${[...contents, ['run-section', 'The run']].map(
    ([id = '', name = '']) => html`<li><a href="#${id}">${name}</a></li>`,
  )}</ul></nav>
</header>
<noscript><p class="warnings">The charts are drawn by a script, which is turned off here. Every figure is in the tables.</p></noscript>
<main>
${body}
${runSection(result, leftOut)}
</main>
<footer><p>Made by Convoy ${result.environment.convoy}, <i>a laboratory for global-lock scheduling</i>. Charts by Apache ECharts (Apache License 2.0), which is part of this
file. Nothing is loaded from anywhere.</p></footer>
${jsonScript('data', data)}
${scripts.map((text) => html`<script type="${text === library ? 'text/javascript' : 'module'}">${trusted(text)}</script>`)}
</body>
</html>
`;
  return page.text;
}

/** Nothing but the scripts of this page runs, and nothing is loaded. The chart library sets styles of elements. */
function contentSecurityPolicy(scripts: readonly string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** As it could be given to a shell. */
function commandOf(argv: readonly string[]): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return ['convoy', ...argv.map(quoted)].join(' ');
}

/** More would push the charts off the first screen. */
const OPEN_WARNINGS = 2;

function warningsOf({ warnings }: Result): Html {
  if (warnings.length === 0) return html``;
  const open = warnings.length <= OPEN_WARNINGS ? html`open` : html``;
  return html`<details class="warnings" ${open}><summary>${plural(warnings.length, 'warning')}: to be read before a figure is believed</summary>
<ul>${warnings.map(({ message, advice }) => html`<li><b>${message}</b>: ${advice}</li>`)}</ul></details>
`;
}

const MACHINE: Readonly<Record<keyof Environment, string>> = {
  convoy: 'Convoy',
  revision: 'revision',
  cpu: 'CPU',
  cpus: 'CPUs that may be used',
  cpuCount: 'number of CPUs',
  memoryBytes: 'memory, bytes',
  kernel: 'kernel',
  node: 'Node',
  v8: 'V8',
  libzmq: 'libzmq',
  governor: 'frequency governor',
  loadBefore: 'load average before',
  loadAfter: 'load average after',
  stolenShare: 'CPU time the hypervisor gave to others',
};

function runSection(result: Result, leftOut: readonly string[]): Html {
  const { environment, serverEnvironment, workload, createdAt, seed, leafNs } = result;
  const table = (title: string, rows: readonly (readonly string[])[]) =>
    drawTable({ title, head: ['', ''], keys: 1, rows, notes: [] });
  const names = Object.keys(MACHINE) as (keyof Environment)[];
  const machine = (title: string, of: Environment) =>
    table(
      title,
      names.map((name) => [MACHINE[name], written(of[name])]),
    );
  return html`<section id="run-section" aria-labelledby="run-title"><h2 id="run-title">The run</h2>
<div class="panels middle">
${machine(serverEnvironment === undefined ? 'The machine' : "The client's machine", environment)}
${serverEnvironment === undefined ? html`` : machine("The server's machine", serverEnvironment)}
${table('What was asked for', [
  ['made at', createdAt],
  ['seed', String(seed)],
  ['a leaf of interpreter work, ns', leafNs.toFixed(0)],
  ...Object.entries(workload).map(([name, value]) => workloadRow(name, value)),
])}
</div>
${leftOut.length === 0 ? html`` : html`<p class="note">Reduced: without ${leftOut.length} groups of cells, from «${leftOut[0] ?? ''}» to «${leftOut.at(-1) ?? ''}». <code>convoy show</code> has all.</p>`}
</section>
`;
}

function written(value: unknown): string {
  if (value === null || value === undefined) return 'not known';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `payloadBytes: 8192` → `payload`, `8KiB`. */
function workloadRow(name: string, value: unknown): string[] {
  const words = name.replace(/(Ns|Bytes)$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (typeof value === 'number' && name.endsWith('Ns')) return [words, formatDuration(value)];
  if (typeof value === 'number' && name.endsWith('Bytes')) return [words, formatSize(value)];
  return [words, written(value)];
}
