import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { Progress } from '../../../bench/run/progress.ts';

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
