/** The figures beside the editor, and the table of what was tried. */
import type { DemoSetup } from '../messages.ts';
import { byId, create } from './dom.ts';
import { formatMs, formatPriority, formatShare, meanOf, median } from './format.ts';
import type { Tally, TypedKeys } from './typed-keys.ts';

const NONE = '–';

/** `py32 · 1 CPU thread`, `priority · 2 CPU threads at −1`. @param hasPriorities whether the policy knows priorities */
export function describeSetup({ policy, spinners, priority }: DemoSetup, hasPriorities: boolean): string {
  const threads = `${policy} · ${spinners === 0 ? 'no' : spinners} CPU thread${spinners === 1 ? '' : 's'}`;
  return hasPriorities && spinners > 0 ? `${threads} at ${formatPriority(priority)}` : threads;
}

/** Writes the figures as they are now; the last lag is written when it comes. */
export function showFigures(typed: TypedKeys, nowMs: number): void {
  const { oldestMs, waiting, tally } = typed;
  byId('waiting', HTMLElement).textContent = oldestMs === null ? '0' : `${waiting} for ${formatMs(nowMs - oldestMs)}`;
  byId('median', HTMLElement).textContent = medianOr(tally?.lagsMs);
  byId('held', HTMLElement).textContent = shareOr(typed.heldOfLate);
}

export function showLast(lagMs: number): void {
  byId('last', HTMLElement).textContent = formatMs(lagMs);
}

/** Writes the table. @param hasPriorities whether a policy knows priorities */
export function showResults(typed: TypedKeys, hasPriorities: (policy: string) => boolean): void {
  const rows = typed.tallies.map((tally) => rowOf(tally, tally === typed.tally, hasPriorities(tally.setup.policy)));
  byId('results', HTMLTableSectionElement).replaceChildren(...rows);
}

function rowOf({ setup, lagsMs, loopsMs, held }: Tally, isCurrent: boolean, hasPriorities: boolean): HTMLElement {
  const row = create('tr');
  const name = create('th', setup.policy);
  name.scope = 'row';
  if (isCurrent) row.setAttribute('aria-current', 'true');
  const cells = [
    // The answer first: a narrow page shows no more without scrolling.
    medianOr(lagsMs),
    medianOr(loopsMs),
    lagsMs.length === 0 ? NONE : formatMs(Math.max(...lagsMs)),
    shareOr(meanOf(held)),
    String(setup.spinners),
    hasPriorities ? formatPriority(setup.priority) : NONE,
    String(lagsMs.length),
  ];
  row.append(name, ...cells.map((text) => create('td', text)));
  return row;
}

function shareOr(share: number | null): string {
  return share === null ? NONE : formatShare(share);
}

function medianOr(values: readonly number[] = []): string {
  return values.length === 0 ? NONE : formatMs(median(values));
}
