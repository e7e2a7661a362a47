import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { PlannedRound } from '../../../bench/run/plan.ts';
import { Progress } from '../../../bench/run/progress.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';

const STEP: PlannedRound = {
  round: 1,
  cell: { server: 'blocking', policy: await readPolicySpec('py32'), scenario: 'loaded' },
};

/** What a terminal shows after all that was written to it: its lines. */
function linesOn(written: string): string[] {
  return written.split('\n').map((line) => stripVTControlCharacters(line.split('\r').at(-1) ?? ''));
}

function progressTo(isTTY: boolean, quiet = false) {
  let written = '';
  const progress = new Progress(4, { isTTY, write: (text) => (written += text) }, quiet);
  return { progress, lines: () => linesOn(written) };
}

it('shows on a terminal what a round waits for, in the place of the cell before', () => {
  const { progress, lines } = progressTo(true);
  progress.preparing(1, 'calibrating: calls');
  expect(lines()).toEqual(['[1/4] round 1: calibrating: calls']);
  progress.preparing(1, 'calibrating: timers');
  expect(lines()).toEqual(['[1/4] round 1: calibrating: timers']);
});

it('shows the cell that is measured, and how long the others take once one has been', () => {
  const { progress, lines } = progressTo(true);
  progress.starting(STEP);
  expect(lines()).toEqual(['[1/4] round 1: py32/blocking loaded']);
  progress.finished(STEP, { state: 'failed', round: 1, message: 'it crashed' });
  progress.starting(STEP);
  expect(lines()).toEqual([
    'failed round 1: py32/blocking loaded: it crashed',
    expect.stringMatching(/^\[2\/4\] round 1: py32\/blocking loaded, about \d+ s left$/),
  ]);
});

it('leaves nothing of the changing line beside a line that stays', () => {
  const { progress, lines } = progressTo(true);
  progress.preparing(1, 'calibrating: calls');
  progress.say('round 1 is not in it');
  expect(lines()).toEqual(['round 1 is not in it', '']);
});

it.each([
  { isTTY: false, quiet: false, where: 'in a file' },
  { isTTY: true, quiet: true, where: 'who wants quiet' },
])('says of it nothing, $where, and says what stays', ({ isTTY, quiet }) => {
  const { progress, lines } = progressTo(isTTY, quiet);
  progress.preparing(1, 'calibrating: calls');
  progress.say('round 1 is not in it');
  expect(lines()).toEqual(['round 1 is not in it', '']);
});
