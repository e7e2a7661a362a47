/** The figures beside the editor, and the table of what was tried. */
import type { DemoSetup } from '../messages.ts';
import { byId, create } from './dom.ts';
import { formatMs, formatPriority, formatShare, median } from './format.ts';
import type { Tally, TypedKeys } from './typed-keys.ts';

const NONE = '–';

/** `py32 · 1 CPU thread`, `priority · 2 CPU threads at −1`. @param hasPriorities whether the policy knows priorities */
export function describeSetup({ policy, spinners, priority }: DemoSetup, hasPriorities: boolean): string {
  const threads = `${policy} · ${spinners === 0 ? 'no' : spinners} CPU thread${spinners === 1 ? '' : 's'}`;
  return hasPriorities && spinners > 0 ? `${threads} at ${formatPriority(priority)}` : threads;
}

/** Writes the figures as they are now; the last lag and the share are written when they come. */
export function showFigures(typed: TypedKeys, nowMs: number): void {
  const { oldestMs, waiting, tally } = typed;
  byId('waiting', HTMLElement).textContent = oldestMs === null ? '0' : `${waiting} for ${formatMs(nowMs - oldestMs)}`;
  byId('median', HTMLElement).textContent = medianOr(tally?.lagsMs);
}

export function showLast(lagMs: number): void {
  byId('last', HTMLElement).textContent = formatMs(lagMs);
}

export function showKept(share: number | null): void {
  byId('kept', HTMLElement).textContent = share === null ? NONE : formatShare(share);
}

/** Writes the table. @param hasPriorities whether a policy knows priorities */
export function showResults(typed: TypedKeys, hasPriorities: (policy: string) => boolean): void {
  const rows = typed.tallies.map((tally) => rowOf(tally, tally === typed.tally, hasPriorities(tally.setup.policy)));
  byId('results', HTMLTableSectionElement).replaceChildren(...rows);
}

function rowOf({ setup, lagsMs, loopsMs, kept }: Tally, isCurrent: boolean, hasPriorities: boolean): HTMLElement {
  const row = create('tr');
  const name = create('th', setup.policy);
  name.scope = 'row';
  if (isCurrent) row.setAttribute('aria-current', 'true');
  const cells = [
    String(setup.spinners),
    hasPriorities ? formatPriority(setup.priority) : NONE,
    String(lagsMs.length),
    medianOr(lagsMs),
    medianOr(loopsMs),
    lagsMs.length === 0 ? NONE : formatMs(Math.max(...lagsMs)),
    kept.length === 0 ? NONE : formatShare(kept.reduce((sum, share) => sum + share, 0) / kept.length),
  ];
  row.append(name, ...cells.map((text) => create('td', text)));
  return row;
}

function medianOr(values: readonly number[] = []): string {
  return values.length === 0 ? NONE : formatMs(median(values));
}
