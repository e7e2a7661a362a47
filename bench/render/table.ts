/** A table before it is drawn: what the terminal and Markdown draw from the same values. */

import type { Summary } from '../figures/summary.ts';

export interface Table {
  readonly title: string;
  /** Column names; the first `keys` of them say what a row is about. */
  readonly head: readonly string[];
  readonly keys: number;
  readonly rows: readonly (readonly string[])[];
  /** What a reader must know to read it, a line each. */
  readonly notes: readonly string[];
}

/** Cells that stand in one table: of one scenario and, in a simulated run, of one machine. */
export interface Group {
  readonly title: string;
  readonly summaries: readonly Summary[];
}

/** Whether nothing runs beside the server in a group's cells. */
export function isUnloaded({ summaries }: Group): boolean {
  return summaries.every(({ cell }) => cell.scenario === 'unloaded');
}

/** All tables of a result. */
export interface Report {
  /** What was measured, where, and how. */
  readonly head: readonly string[];
  /** The few tables that answer the question. */
  readonly overview: readonly Table[];
  /** Every figure of every cell. */
  readonly details: readonly Table[];
  readonly warnings: readonly { readonly message: string; readonly advice: string }[];
}
