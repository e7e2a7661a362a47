/** Waking a thread, measured: what it takes its waker, and when it runs. */
import type { Interpreter } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { type Partner, WORD } from './calibrate-messages.ts';
import { type Places, untilSeen, withPartners } from './calibrate-places.ts';
import { sinceNs } from './calibrate-samples.ts';

export const WAKES = 2_000;
const LONG_MS = 0.5;
/** For the other thread to be woken. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A thread that has not done something for longer than this is out of practice in it. */
export const COLD_AFTER_NS = 500_000;
/** So long one sleeps to be that. */
export const COLD_MS = 2;

/** How a thread was woken once. */
export interface WakeUp {
  /** What the call took its waker. */
  readonly callNs: number;
  /** From the beginning of that call until the thread ran. */
  readonly latencyNs: number;
  /** Whether it slept, and did not find what it was to sleep for before. */
  readonly slept: boolean;
}

/** What the waker does between two wake-ups. */
type Waker =
  /**
   * Works for so long, for each of these times in turn, as a CPU thread does: by a number of leaves. One that works until a time wakes right after the
   * interrupt that held it up at that time, and is interrupted in its call the more often.
   */
  | { readonly kind: 'computing'; readonly idleMs: readonly number[]; readonly interpreter: Pick<Interpreter, 'work'> }
  /** Works until the sleeper has slept for so long, less than a leaf takes. */
  | { readonly kind: 'working'; readonly idleMs: readonly number[] }
  /** What threads do that contend: the sleeper works for a while, wakes this thread, and is woken by it when it has slept so long. */
  | { readonly kind: 'contending'; readonly idleMs: readonly number[] }
  | { readonly kind: 'sleeping' };

/** Wakes a sleeping thread again and again. */
export async function wakeUps(places: Places, waker: Waker, times = WAKES): Promise<WakeUp[]> {
  const wokeAtNs = new Float64Array(new SharedArrayBuffer(8));
  const workMs = waker.kind === 'contending' ? COLD_MS : 0;
  const sleeper: Partner = { kind: 'sleeper', workMs, wokeAtNs: wokeAtNs.buffer };
  return withPartners(places, [sleeper, ...(places.busy ? [{ kind: 'busy' } as const] : [])], (words) => {
    const futexes = new Futexes(words);
    const originNs = clockOriginNs();
    const found: WakeUp[] = [];
    for (let turn = 1; turn <= times; turn++) {
      const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
      while (Atomics.load(words, WORD.asleep) !== turn && performance.now() < deadlineMs) {
        if (waker.kind === 'contending') futexes.wait(WORD.asleep, turn - 1, ANSWER_TIMEOUT_MS * 1e6);
        if (waker.kind === 'sleeping') Atomics.wait(words, WORD.end, 0, LONG_MS);
      }
      if (waker.kind === 'sleeping') Atomics.wait(words, WORD.end, 0, LONG_MS);
      else work(waker, turn);
      const atMs = performance.now();
      Atomics.store(words, WORD.turn, turn);
      futexes.wake(WORD.turn, 1);
      const callNs = sinceNs(atMs);
      untilSeen(words, turn, places);
      const slept = Atomics.load(words, WORD.slept) === 1;
      found.push({ callNs, latencyNs: Math.max(0, (wokeAtNs[0] as number) - originNs - atMs * 1e6), slept });
    }
    // The engine compiles meanwhile.
    return found.slice(times / 10);
  });
}

function work(waker: Exclude<Waker, { kind: 'sleeping' }>, turn: number): void {
  const ms = waker.idleMs[(turn - 1) % waker.idleMs.length] ?? 0;
  if (waker.kind === 'computing') {
    waker.interpreter.work(ms * 1e6);
    return;
  }
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
