/**
 * A model thread's life as pieces of the policy, in the order in which `GlobalLock` runs them on threads. A yield point is a look at
 * the word that asks, then perhaps a release and an acquire; or both at every one, where the policy counts ticks.
 */
import type { Memory, Steps } from '../../memory.ts';
import type { Rules } from '../../policy.ts';
import type { ModelThread } from './model-thread.ts';

/** A run of one of the policy's generators, or the look at its word. */
export type Piece =
  | { readonly kind: 'acquire' | 'release' | 'look' }
  | { readonly kind: 'set priority'; readonly priority: number };

/** All of a thread's life. */
export function piecesOf(thread: ModelThread, rules: Rules): Piece[] {
  const { kind, times, priority } = thread;
  const release: Piece = { kind: 'release' };
  const acquire: Piece = { kind: 'acquire' };
  const oneTime = kind === 'io' || rules.yieldPoint.kind === 'ticks' ? [release, acquire] : lookPieces(rules);
  return [
    acquire,
    ...(priority === 0 || rules.setPriority === undefined ? [] : [{ kind: 'set priority', priority } as const]),
    ...Array.from({ length: times }, () => oneTime).flat(),
    release,
  ];
}

function lookPieces(rules: Rules): Piece[] {
  return rules.yieldPoint.kind === 'never' ? [] : [{ kind: 'look' }, { kind: 'release' }, { kind: 'acquire' }];
}

/** How many pieces are left out after this one: a look that finds the word 0 is all of its yield point. */
export function skippedAfter(piece: Piece, result: number): number {
  return piece.kind === 'look' && result === 0 ? 2 : 0;
}

/** Runs a piece. `me` is the thread's number, from 1. */
export function run(piece: Piece, rules: Rules, m: Memory, me: number): Steps {
  switch (piece.kind) {
    case 'acquire':
      return rules.acquire(m, me);
    case 'release':
      return rules.release(m, me);
    case 'set priority':
      return (rules.setPriority as NonNullable<Rules['setPriority']>)(m, me, piece.priority);
    case 'look':
      return look(m, rules);
  }
}

function* look(m: Memory, { yieldPoint }: Rules): Steps {
  if (yieldPoint.kind === 'requested') yield m.load(yieldPoint.word);
}
