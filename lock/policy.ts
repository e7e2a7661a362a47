/**
 * What a policy is: the rule by which one global lock changes hands, written once as generators of atomic steps (`memory.ts`)
 * and run by every machine.
 */
import type { Memory, Steps, Word, WordsOf } from './memory.ts';

/** How a running thread finds out that it should offer the lock to others. It looks at each yield point. */
export type YieldPoint =
  /** Somebody sets this word: CPython's `eval_breaker`. Looking costs one load. */
  | { readonly kind: 'requested'; readonly word: Word }
  /** After so many ticks, whoever waits. The count is one for all threads, as `_Py_Ticker` was. */
  | { readonly kind: 'ticks'; readonly every: number }
  /** Never: the thread keeps running. */
  | { readonly kind: 'never' };

/** The rules of a policy whose words have been laid out and whose options have values. `me` is the thread's number, from 1. */
export interface Rules {
  /** Returns when this thread may run. */
  acquire(m: Memory, me: number): Steps;
  /** Called by the thread that holds the lock, before a call that may block, and at the end of its life. */
  release(m: Memory, me: number): Steps;
  /** When a thread that runs on must offer the lock; it then does `release` and `acquire`. */
  readonly yieldPoint: YieldPoint;
  /**
   * Waiters poll: a release need not wake anybody, because while the lock is free one of those who wait looks again by itself within
   * this time. Absent: a release wakes whom it must, and who sleeps beside a free lock has lost a wake-up.
   */
  readonly pollsEveryNs?: number;
  /**
   * Called by the thread that holds the lock: makes `priority` its own (higher runs first, 0 at birth). Absent: the policy knows no
   * priorities.
   */
  setPriority?(m: Memory, me: number, priority: number): Steps;
}

/** A number among a policy's options. Durations are written with a unit, `interval=5ms`, and arrive in nanoseconds. */
export interface PolicyOption {
  readonly kind: 'duration' | 'count';
  /** In nanoseconds for a duration. */
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly summary: string;
}

/**
 * What a policy promises beside being a lock. `convoy check` looks for a schedule that breaks it. A thread waits, here, from when
 * it first sleeps in an acquire until it holds the lock.
 */
export type Claim<Name extends string = string> =
  /**
   * A thread that releases while the word of its yield point is set does not hold the lock again before another has held it. Where
   * ticks are counted, every release counts as asked for.
   */
  | { readonly kind: 'forced-switch' }
  /**
   * A thread takes the lock at most once while one of higher priority waits (it may have looked just before that began to wait). And a
   * holder passes no yield point unasked while one of higher priority sleeps and nobody else is about to acquire or release.
   */
  | { readonly kind: 'priority' }
  /**
   * A thread whose sleep in acquire has timed out, and began when the same thread of no higher priority held the lock that holds it
   * still, does not sleep again unless the word of the yield point is set. Nor does it sleep for ever unless that is set, or others are
   * about to acquire or release.
   */
  | { readonly kind: 'timed-request' }
  /**
   * A thread sets the word of the yield point, on which another of its own priority holds the lock, only after a sleep that timed
   * out and in which the lock did not change hands. (It may have looked just before it did.)
   */
  | { readonly kind: 'patient-request' }
  /**
   * A thread that comes back to a lock which nobody else uses takes it in so many steps at the most and releases it in so many, and
   * none of them sleeps or wakes: no system call.
   */
  | { readonly kind: 'fast-path'; readonly acquire: number; readonly release: number }
  /** No step of a release wakes more than one thread, since one only can have the lock. */
  | { readonly kind: 'single-wake' }
  /** The word is 0 again when every thread has released and none acquires: a count that is kept right, a request that is not left behind. */
  | { readonly kind: 'zero-at-rest'; readonly word: Name }
  /** While a thread waits, others take the lock at most so many times, 14 at the most. */
  | { readonly kind: 'bounded-bypass'; readonly times: number };

/**
 * A policy as its file exports it.
 *
 * @typeParam Name the names of its shared words
 * @typeParam Option the names of its options
 */
export interface Policy<Name extends string = string, Option extends string = string> {
  /** What it is called on the command line and in tables: lower case letters, digits and dashes. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** False where several threads run at once: then there are no steals to count. */
  readonly exclusive: boolean;
  /** Its shared words, name → meaning, all 0 at the start. */
  readonly words: Readonly<Record<Name, string>>;
  readonly options: Readonly<Record<Option, PolicyOption>>;
  /** What it promises, for `convoy check` to prove. None if absent. */
  readonly claims?: readonly Claim<NoInfer<Name>>[];
  /** Called once for each thread: what the rules close over is that thread's own. */
  rules(words: WordsOf<Name>, options: Readonly<Record<Option, number>>): Rules;
}

/**
 * Declares a policy; the names of words and options are inferred, so that a misspelt one does not compile.
 *
 * @param policy the declaration
 * @returns the same, its names forgotten, as lists of policies hold it
 */
export function definePolicy<Name extends string, Option extends string>(policy: Policy<Name, Option>): Policy {
  return policy as unknown as Policy;
}
