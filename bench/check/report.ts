/** What `convoy check` prints. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { Bounds, Finding, Line, Replayed } from '../../lock/machines/interleavings.ts';

/** A policy explored with one model. */
export interface Checked {
  readonly policy: string;
  readonly model: string;
  readonly finding: Finding;
}

/** One line for each exploration; a failure with its schedule. */
export function renderChecked({ policy, model, finding }: Checked): string {
  const head = `${policy.padEnd(14)} ${model.padEnd(20)} `;
  switch (finding.kind) {
    case 'proved':
      return `${head}${styleText('green', finding.bounded ? 'holds within the bound' : 'proved')}, ${states(finding.states)}`;
    case 'outgrown':
      return `${head}${styleText('yellow', 'not proved')}: ${finding.message}; until then nothing was found broken`;
    case 'broken':
      return [
        `${head}${styleText('red', `broken: ${finding.property}`)}: ${finding.message}`,
        ...(finding.schedule.length === 0
          ? []
          : [
              `shortest schedule, ${finding.schedule.length} steps:`,
              renderSchedule(finding.schedule),
              `again: convoy check '${policy}' --replay ${finding.replay}`,
            ]),
      ].join('\n');
  }
}

/** A schedule again, and what it breaks. */
export function renderReplayed({ schedule, broken }: Replayed): string {
  const verdict =
    broken === null ? 'breaks nothing' : `${styleText('red', `broken: ${broken.property}`)}: ${broken.message}`;
  return `${renderSchedule(schedule)}\n${verdict}`;
}

/** A schedule as a table: time runs down, each thread has its column. */
function renderSchedule(lines: readonly Line[]): string {
  const threads = Math.max(1, ...lines.map(({ thread }) => thread));
  const table = new Table({
    head: ['step', ...Array.from({ length: threads }, (_, i) => `thread ${i + 1}`)],
    style: { head: [], border: [], compact: true },
    colAligns: ['right'],
  });
  const pieces = new Map<number, string>();
  for (const [i, { thread, piece, text }] of lines.entries()) {
    // The piece is named where it begins, so that the eye sees the operations and in them the steps.
    const title = pieces.get(thread) === piece ? '' : `${piece}: `;
    pieces.set(thread, piece);
    table.push([i + 1, ...Array.from({ length: threads }, (_, column) => (column + 1 === thread ? title + text : ''))]);
  }
  return table.toString();
}

/** What all of it says, and what it does not. */
export function renderSummary(
  checked: readonly Checked[],
  planned: number,
  { preemptions, spurious }: Bounds & { readonly spurious: boolean },
): string {
  const count = (kind: Finding['kind']) => checked.filter(({ finding }) => finding.kind === kind).length;
  const bounded = preemptions < Infinity;
  const scope = bounded ? `every order with at most ${preemptions} pre-emptions` : 'every order';
  return [
    '',
    `${count('proved')} of ${planned} ${bounded ? 'hold' : 'proved'}, ${count('broken')} broken, ${count('outgrown')} not proved` +
      `${checked.length < planned ? `, ${planned - checked.length} not finished` : ''}`,
    `for these threads: ${scope} of their atomic steps, any number of time-outs at any moment, any choice of whom a notify wakes` +
      `${spurious ? ', any number of spurious wake-ups' : ''}`,
    'io2: two calls without the lock; cpu2: two yield points; @-1: at priority −1',
  ].join('\n');
}

function states(count: number): string {
  return `${count.toLocaleString('en')} states`;
}
