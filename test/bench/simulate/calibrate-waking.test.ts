import { expect, it } from 'vitest';
import type * as Waking from '../../../bench/simulate/calibrate-waking.ts';
import { compiled } from '../../compiled.ts';

it('a thread that found what it was to wait for, and did not sleep, is told from those that were woken', async () => {
  // Compiled: it starts a thread.
  const { APART, wakeUps }: typeof Waking = await import(compiled('bench/simulate/calibrate-waking.js').href);
  // In turn: at once, and when it has slept for long.
  const found = await wakeUps(APART, { kind: 'working', idleMs: [0, 1] }, 400);
  const slept = (turn: number) => found.filter((wake, i) => i % 2 === turn && wake.slept).length;
  expect(slept(1)).toBe(found.length / 2);
  expect(slept(0)).toBeLessThan(slept(1));
});
