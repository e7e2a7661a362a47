/**
 * A schedule: the moves from the start to a state. As text it is one digit a step, the thread's number, and a letter where something
 * happens that no thread does: `3t` a time-out, `3s` a spurious wake-up; `1w2` says which sleepers a notify chose.
 */
import { type Move, threadsIn } from './world.ts';

/** Writes a schedule. */
export function formatSchedule(moves: readonly Move[]): string {
  return moves.map(formatMove).join('');
}

function formatMove(move: Move): string {
  const thread = `${move.thread + 1}`;
  switch (move.kind) {
    case 'timeOut':
      return `${thread}t`;
    case 'spurious':
      return `${thread}s`;
    case 'step':
      return move.wakes === 0
        ? thread
        : `${thread}${threadsIn(move.wakes)
            .map((woken) => `w${woken + 1}`)
            .join('')}`;
  }
}

/**
 * Reads what {@link formatSchedule} writes.
 *
 * @returns undefined if the text is no schedule
 */
export function parseSchedule(text: string): Move[] | undefined {
  if (!/^(?:[1-4](?:t|s|(?:w[1-4])*))*$/.test(text)) return undefined;
  return Array.from(text.matchAll(/([1-4])(t|s|(?:w[1-4])*)/g), ([, digit, how = '']): Move => {
    const thread = Number(digit) - 1;
    if (how === 't') return { kind: 'timeOut', thread };
    if (how === 's') return { kind: 'spurious', thread };
    const wakes = Array.from(how.matchAll(/w([1-4])/g)).reduce((set, [, woken]) => set | (1 << (Number(woken) - 1)), 0);
    return { kind: 'step', thread, wakes };
  });
}
