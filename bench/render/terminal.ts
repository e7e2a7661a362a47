/**
 * For the terminal: at most 100 columns, whatever is in the tables. Columns that do not fit go on in a table below, under the same
 * keys; long policy labels break where their options do.
 */
import { stripVTControlCharacters } from 'node:util';
import CliTable from 'cli-table3';
import type { Result } from '../result/result.ts';
import { reportOf } from './report.ts';
import type { Table } from './table.ts';

export const TERMINAL_COLUMNS = 100;

/** How emphasis is written: `util.styleText`, or nothing where there is no colour. */
export type Paint = (style: 'bold' | 'dim' | 'yellow', text: string) => string;

/** No words of a table are longer than this; longer ones break. */
const MAX_CELL = 40;

/** Details first: a terminal shows the end. */
export function renderTerminal(result: Result, paint: Paint): string {
  const { head, overview, details, warnings } = reportOf(result);
  return [
    ...head.flatMap((line) => wrap(line)),
    '',
    ...[...details, ...overview].flatMap((table) => [drawTable(table, paint), '']),
    ...warnings.flatMap(({ message, advice }) =>
      wrap(`warning ${message}: ${advice}`).map((line) => line.replace(/^warning/, paint('yellow', 'warning'))),
    ),
  ].join('\n');
}

/** Draws a table, in as many pieces as it takes. */
export function drawTable(table: Table, paint: Paint): string {
  return [
    ...wrap(table.title).map((line) => paint('bold', line)),
    ...pieces(table).flatMap((piece, i) => [...(i === 0 ? [] : ['']), draw(piece, paint)]),
    ...table.notes.flatMap((note) => wrap(note)).map((line) => paint('dim', line)),
  ].join('\n');
}

/** Splits columns into groups that fit, each with the keys. */
function pieces(table: Table): Table[] {
  const broken = {
    ...table,
    head: table.head.map(breakLabel),
    rows: table.rows.map((row) =>
      row.map((cell, column) => (column < table.keys ? breakLabel(cell) : breakAt(cell, MAX_CELL))),
    ),
  };
  const widths = broken.head.map((name, column) =>
    Math.max(
      ...[name, ...broken.rows.map((row) => row[column] ?? '')].flatMap((cell) => cell.split('\n')).map(widthOf),
    ),
  );
  const widthOfAll = (columns: readonly number[]) =>
    columns.reduce((sum, column) => sum + (widths[column] ?? 0) + 1, 0);
  const keys = broken.head.slice(0, broken.keys).map((_, column) => column);
  const groups: number[][] = [];
  for (let column = broken.keys; column < broken.head.length; column++) {
    const group = groups.at(-1);
    if (group !== undefined && widthOfAll([...keys, ...group, column]) <= TERMINAL_COLUMNS) group.push(column);
    else groups.push([column]);
  }
  return groups.map((group) => {
    const pick = (row: readonly string[]) => [...keys, ...group].map((column) => row[column] ?? '');
    return { ...broken, head: pick(broken.head), rows: broken.rows.map(pick) };
  });
}

function draw({ head, keys, rows }: Table, paint: Paint): string {
  const drawn = new CliTable({
    head: head.map((name) =>
      name
        .split('\n')
        .map((line) => paint('bold', line))
        .join('\n'),
    ),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    colAligns: head.map((_, column) => (column < keys ? 'left' : 'right')),
    chars: NO_LINES,
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Lines between rows and columns cost width; the columns are aligned instead. */
const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

/** `py32(interval=1ms,keep-lock-on=nonblocking)` → one line for the name and one for each option. */
function breakLabel(label: string): string {
  const match = /^([^(]+)(\(.+\))$/.exec(label);
  const lines = match === null ? [label] : [match[1] ?? '', ...(match[2] ?? '').split(/(?<=,)/)];
  return lines.map((line) => breakAt(line, MAX_CELL)).join('\n');
}

function breakAt(text: string, width: number): string {
  return (text.match(new RegExp(`.{1,${width}}`, 'gu')) ?? ['']).join('\n');
}

/** Breaks a line of text at spaces; a single word that is longer stays whole. */
export function wrap(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    for (const word of line.split(' ')) {
      const last = lines.at(-1);
      if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= TERMINAL_COLUMNS)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(lines.length === 0 ? word : `  ${word}`);
    }
    return lines;
  });
}

function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
