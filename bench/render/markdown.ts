/** For documents: the tables of the terminal, the short ones first. */
import type { Result } from '../result/result.ts';
import { reportOf } from './report.ts';
import type { Table } from './table.ts';

export function renderMarkdown(result: Result): string {
  const { head, overview, details, warnings } = reportOf(result);
  return [
    '# Convoy: a result',
    '',
    ...list(head),
    '',
    ...overview.flatMap((table) => [...drawTable(table), '']),
    ...(warnings.length === 0
      ? []
      : ['## Warnings', '', ...list(warnings.map((w) => `${w.message}: ${w.advice}`)), '']),
    '## Details',
    '',
    ...details.flatMap((table) => [...drawTable(table), '']),
  ].join('\n');
}

function drawTable({ title, head, keys, rows, notes }: Table): string[] {
  return [
    `### ${escapeMarkup(title)}`,
    '',
    line(head),
    `|${head.map((_, column) => (column < keys ? ' --- |' : ' ---: |')).join('')}`,
    ...rows.map(line),
    ...(notes.length === 0 ? [] : ['', ...list(notes)]),
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => escapeMarkup(cell.trim())).join(' | ')} |`;
}

function list(lines: readonly string[]): string[] {
  return lines.map((text) => `- ${escapeMarkup(text)}`);
}

/** What Markdown would take for markup, and line breaks, which end a row or an item. */
function escapeMarkup(text: string): string {
  return text.replace(/[\\`*_|<>]/g, '\\$&').replace(/\s*\n\s*/g, ' ');
}
