/** Task body, run by piscina: one simulated round of one cell. */

import type { Round } from '../result/result.ts';
import { type CellSetup, simulateCell } from './cell.ts';

/** A cell, and where to say how far it has come. */
export interface SimulationTask {
  readonly setup: CellSetup;
  readonly pulse: SharedArrayBuffer;
}

export default async function simulate({ setup, pulse }: SimulationTask): Promise<Round> {
  return (await simulateCell(setup, new Float64Array(pulse))).round;
}
