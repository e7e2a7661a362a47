/** A schedule told step by step, for people: who does what in which piece of the policy, on which word, and what comes of it. */

import { formatDuration } from '../../duration.ts';
import { TIMED_OUT, WOKEN } from '../../memory.ts';
import type { RecordedStep } from './steps.ts';
import type { Subject } from './unfolding.ts';
import { type Actor, type Move, World } from './world.ts';

/** One line of the story. */
export interface Line {
  /** From 1. */
  readonly thread: number;
  /** The piece of the policy, or what the thread did outside of it. */
  readonly piece: string;
  /** The step with the names of its words, and its result. */
  readonly text: string;
}

/**
 * Tells a schedule.
 *
 * @returns undefined if the schedule asks for a move that cannot be made
 */
export function narrate(subject: Subject, actors: readonly Actor[], moves: readonly Move[]): Line[] | undefined {
  const names = Object.keys(subject.policy.words);
  const world = new World(actors, names.length);
  const lines: Line[] = [];
  for (const move of moves) {
    const { thread } = move;
    const piece = world.piece(thread)?.kind;
    const step = world.stepOf(thread);
    const possible = world.moves(true).some((each) => same(each, move));
    if (step === undefined || piece === undefined || !possible) return undefined;
    const results: string[] = [];
    world.apply(move, (of, result) => {
      results.push(of === thread ? ` → ${resultOf(step, result)}` : ` (wakes thread ${of + 1})`);
    });
    // Who is woken hears of it before the notify comes to its result; for the reader it is the other way round.
    const outcome = results.length === 0 ? ' … sleeps' : results.reverse().join('');
    const text =
      move.kind === 'step' ? writeStep(step, names) + outcome : `${writeStep(step, names)}${ENDS[move.kind]}`;
    lines.push({
      thread: thread + 1,
      piece,
      text: world.holds(thread) && piece === 'acquire' ? `${text}; holds the lock` : text,
    });
  }
  return lines;
}

const ENDS = { timeOut: ' → timed out', spurious: ' → woken for no reason' } as const;

function same(a: Move, b: Move): boolean {
  return a.kind === b.kind && a.thread === b.thread && (a.kind !== 'step' || b.kind !== 'step' || a.wakes === b.wakes);
}

function writeStep(step: RecordedStep, names: readonly string[]): string {
  if (step.kind === 'pause') return 'nothing';
  const word = names[step.word];
  switch (step.kind) {
    case 'load':
      return `load(${word})`;
    case 'store':
    case 'exchange':
      return `${step.kind}(${word}, ${step.value})`;
    case 'compareExchange':
      return `compareExchange(${word}, ${step.expected}, ${step.value})`;
    case 'add':
      return `add(${word}, ${step.amount})`;
    case 'wait':
      return `wait(${word}, ${step.expected}${step.timeoutNs < Infinity ? `, ${formatDuration(step.timeoutNs)}` : ''})`;
    case 'notify':
      return `notify(${word}, ${step.count === Infinity ? 'all' : step.count})`;
  }
}

function resultOf(step: RecordedStep, result: number): string {
  if (step.kind !== 'wait') return String(result);
  return result === WOKEN ? 'woken' : result === TIMED_OUT ? 'timed out' : 'not equal';
}
