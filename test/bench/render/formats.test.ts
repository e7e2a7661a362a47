/** The same numbers in each format, whatever they are. */
import { describe, expect, it } from 'vitest';
import { figureOf, METRICS, type MetricName } from '../../../bench/figures/metrics.ts';
import { summarize } from '../../../bench/figures/summary.ts';
import { renderCsv } from '../../../bench/render/csv.ts';
import { renderMarkdown } from '../../../bench/render/markdown.ts';
import { reportOf } from '../../../bench/render/report.ts';
import { renderTerminal } from '../../../bench/render/terminal.ts';
import { resultSchema } from '../../../bench/result/result.ts';
import { cell, measured, result, roundsOf, wideResult } from '../result-builder.ts';

const plain = (_style: string, text: string) => text;
const wide = wideResult(['py32', 'priority', 'py27(check=50)']);
const { overview, details } = reportOf(wide);
const tables = [...overview, ...details];

/** A reader of RFC 4180, for files without line breaks in fields. */
function readCsv(text: string): Record<string, string>[] {
  const [head = [], ...rows] = text
    .trimEnd()
    .split('\r\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map((m) =>
        (m[1] ?? m[2] ?? '').replaceAll('""', '"'),
      ),
    );
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ''])));
}

it('of two machines, both are named', () => {
  const apart = { ...wide, serverEnvironment: { ...wide.environment, cpu: 'Another CPU', cpuCount: 64 } };
  expect(reportOf(apart).head).toContainEqual(expect.stringMatching(/^server on Another CPU, 64 CPUs, Linux/));
  expect(reportOf(apart).head).toContainEqual(expect.stringMatching(/^client on A CPU, 8 CPUs, Linux/));
});

it('what a profile set for a policy is named, and not what its label says', () => {
  const [py32, , py27] = wide.policies;
  if (py32 === undefined || py27 === undefined) throw new Error('no policies');
  const headWith = (own: object) => reportOf({ ...wide, policies: [py32, { ...py27, ...own }] }).head.join('\n');
  expect(headWith({ label: 'py27', interpreterCostNs: 900, ticksPerCall: 19, ticksPerLeaf: 16 })).toContain(
    'py27: interpreter cost 900ns a call, counted as 19 ticks, a leaf of a CPU thread as 16 ticks',
  );
  const label = 'py27(interpreter-cost=10us)';
  expect(headWith({ label, interpreterCostNs: 10_000, ticksPerLeaf: 16 })).toContain(
    `${label}: a leaf of a CPU thread as 16 ticks`,
  );
});

describe('the same numbers', () => {
  it('stand in the terminal and in Markdown: every value of every table', () => {
    const terminal = renderTerminal(wide, plain);
    const markdown = renderMarkdown(wide).replaceAll('\\', '');
    expect(tables.length).toBeGreaterThan(10);
    for (const { title, rows } of tables) {
      expect(terminal).toContain(title);
      expect(markdown).toContain(title);
      for (const row of rows) {
        expect(markdown).toContain(`| ${row.map((value) => value.trim()).join(' | ')} |`);
        for (const value of row.slice(1)) for (const word of value.split('(')) expect(terminal).toContain(word);
      }
    }
  });

  it('stand in CSV, unrounded, and are those of the file', () => {
    const rows = readCsv(renderCsv(wide));
    const summaries = summarize(resultSchema.parse(JSON.parse(JSON.stringify(wide))));
    expect(rows).toHaveLength(summaries.length);
    for (const [i, summary] of summaries.entries()) {
      const row = rows[i] ?? {};
      const { server, policy, scenario } = summary.cell;
      expect(row).toMatchObject({ server, policy, scenario });
      expect(Number(row['total_s'])).toBe((figureOf(summary, 'total') ?? 0) / 1e9);
      expect(Number(row['p99_ms'])).toBe((figureOf(summary, 'p99') ?? 0) / 1e6);
      expect(Number(row['cpu_share'])).toBe(figureOf(summary, 'cpu'));
      expect(Number(row['waits_below_2048_us'])).toBe(summary.waits?.[11]);
      const slowdown = figureOf(summary, 'slowdown');
      expect(row['slowdown']).toBe(slowdown === null ? '' : String(slowdown));
    }
  });

  it('CSV has a column for each metric there is', () => {
    const head = Object.keys(readCsv(renderCsv(wide))[0] ?? {});
    for (const name of Object.keys(METRICS) as MetricName[]) {
      expect(head.filter((column) => column.startsWith(name.replaceAll('-', '_')))).not.toEqual([]);
    }
    expect(new Set(head).size).toBe(head.length);
  });
});

describe('CSV', () => {
  it('has one header, a line for each cell, each ended by CRLF, and quotes what has commas or quotes', () => {
    const label = 'py32(interval=1ms,keep-lock-on=nonblocking)';
    const text = renderCsv(result([cell(`${label}/blocking loaded`, roundsOf([4])), cell('a"b/blocking loaded', [])]));
    const lines = text.split('\r\n');
    expect(lines).toHaveLength(4);
    expect(lines[3]).toBe('');
    expect(lines[1]).toMatch(/^blocking,"py32\(interval=1ms,keep-lock-on=nonblocking\)",loaded,/);
    expect(lines[2]).toMatch(/^blocking,"a""b",loaded,/);
    expect(readCsv(text).map(({ policy }) => policy)).toEqual([label, 'a"b']);
  });

  it('leaves empty what a cell does not have', () => {
    const [row] = readCsv(renderCsv(result([cell('py32/blocking loaded', [measured({})])])));
    expect(row).toMatchObject({ slowdown: '', scheduled_p50_ms: '', spinners_keep_share: '', rounds_measured: '1' });
  });

  it('leaves empty what is not known of a lock', () => {
    const cells = [
      cell('PyPy 7.3.11/blocking loaded', [measured({ counted: false })]),
      cell('py32/blocking loaded', [measured()]),
    ];
    const [unknown, known] = readCsv(renderCsv(result(cells)));
    expect(unknown).toMatchObject({ steals_per_message: '', lock_wait_ms: '', waits_below_2048_us: '' });
    expect(known).toMatchObject({ steals_per_message: '0', lock_wait_ms: '0', waits_below_2048_us: '0' });
  });
});

describe('Markdown', () => {
  it('has as many columns in each line of a table as in its head', () => {
    const blocks = renderMarkdown(wide)
      .split('\n\n')
      .filter((block) => block.startsWith('|'));
    expect(blocks).toHaveLength(tables.length);
    for (const block of blocks) {
      const columns = block.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length);
      expect(new Set(columns).size).toBe(1);
    }
  });

  it('keeps markup of messages from being markup', () => {
    const text = renderMarkdown(
      result([cell('py32/blocking loaded', roundsOf([4]))], {
        warnings: [{ kind: 'failed', message: 'it wrote:\n<b>|*x*|', advice: 'see' }],
      }),
    );
    expect(text).toContain('- it wrote: \\<b\\>\\|\\*x\\*\\|: see');
  });
});
