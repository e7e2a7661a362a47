/** Another thread, measured: what it takes to wake it, and when it runs; what a cache line costs that it has. */
import { Worker } from 'node:worker_threads';
import { Futexes } from '../../lock/machines/futex.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { keepThreadOn } from '../processes/affinity.ts';
import { allowedCpus, parseCpuList } from '../processes/cpu-list.ts';
import { type PartnerTask, WORD } from './calibrate-messages.ts';
import { timed } from './calibrate-samples.ts';

const PARTNER = new URL('./calibrate-partner.js', import.meta.url);
export const WAKES = 2_000;
const LONG_MS = 0.5;
/** For the other thread to be woken. */
const ANSWER_TIMEOUT_MS = 10_000;
/** So long a thread sleeps to be out of practice. */
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
  /** Works until the sleeper has slept for so long, for each of these times in turn. */
  | { readonly kind: 'working'; readonly idleMs: readonly number[] }
  /** What threads do that contend: the sleeper works for a while, wakes this thread, and is woken by it when it has slept so long. */
  | { readonly kind: 'contending'; readonly idleMs: readonly number[] }
  | { readonly kind: 'sleeping' };

/** On which CPU who is, and whether a busy thread is where the sleeper is. */
export interface Places {
  readonly sleeper: number;
  readonly waker: number;
  readonly busy: boolean;
}

/** The CPUs of this process; it may have been given some of the machine's only. */
const CPUS = parseCpuList(allowedCpus()) ?? [0];
const [FIRST = 0, SECOND = FIRST] = CPUS;

/** On CPUs of their own, where there are two. */
export const APART: Places = { sleeper: SECOND, waker: FIRST, busy: false };
/** On one. */
export const TOGETHER: Places = { sleeper: FIRST, waker: FIRST, busy: false };

function newWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(1024));
}

/** Starts the other thread. Resolves when it is ready; in an object, since a promise returned would be waited for. */
async function startPartner(workerData: PartnerTask): Promise<{ exited: Promise<unknown> }> {
  const worker = new Worker(PARTNER, { workerData });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { exited };
}

/**
 * What an atomic step takes that finds the cache line on another CPU, and one more that finds it here; each many times, by a clock around it.
 *
 * @param places where the other thread is, and this one
 */
export async function fetches(
  { sleeper, waker: mine }: Places,
  times = WAKES,
): Promise<{ there: number[]; here: number[] }> {
  const words = newWords();
  const wokeAtNs = new SharedArrayBuffer(8);
  const { exited } = await startPartner({ kind: 'toucher', workMs: 0, cpu: sleeper, words: words.buffer, wokeAtNs });
  keepThreadOn([mine]);
  const found = { there: [] as number[], here: [] as number[] };
  const step = () => void Atomics.add(words, WORD.touched, 1);
  for (let turn = 1; turn <= times; turn++) {
    Atomics.store(words, WORD.turn, turn);
    // Alone on one CPU the other needs this one's.
    while (Atomics.load(words, WORD.seen) !== turn) if (sleeper === mine) Atomics.wait(words, WORD.end, 0, 0.1);
    found.there.push(...timed(1, step));
    found.here.push(...timed(1, step));
  }
  Atomics.store(words, WORD.turn, -1);
  await exited;
  keepThreadOn(CPUS);
  // The engine compiles meanwhile.
  return { there: found.there.slice(times / 10), here: found.here.slice(times / 10) };
}

/** Wakes a sleeping thread again and again. */
export async function wakeUps({ sleeper, waker: mine, busy }: Places, waker: Waker, times = WAKES): Promise<WakeUp[]> {
  const words = newWords();
  const wokeAtNs = new Float64Array(new SharedArrayBuffer(8));
  const futexes = new Futexes(words);
  const workMs = waker.kind === 'contending' ? COLD_MS : 0;
  const start = (kind: PartnerTask['kind']) =>
    startPartner({ kind, workMs, cpu: sleeper, words: words.buffer, wokeAtNs: wokeAtNs.buffer });
  const ends = [await start('sleeper'), ...(busy ? [await start('busy')] : [])];
  keepThreadOn([mine]);
  const originNs = clockOriginNs();
  const found: WakeUp[] = [];
  for (let turn = 1; turn <= times; turn++) {
    const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
    while (Atomics.load(words, WORD.asleep) !== turn && performance.now() < deadlineMs) {
      if (waker.kind === 'contending') futexes.wait(WORD.asleep, turn - 1, ANSWER_TIMEOUT_MS * 1e6);
      if (waker.kind === 'sleeping') Atomics.wait(words, WORD.end, 0, LONG_MS);
    }
    if (waker.kind === 'sleeping') Atomics.wait(words, WORD.end, 0, LONG_MS);
    else work(waker.idleMs[(turn - 1) % waker.idleMs.length] ?? 0);
    const atNs = performance.now() * 1e6 + originNs;
    Atomics.store(words, WORD.turn, turn);
    futexes.wake(WORD.turn, 1);
    const callNs = performance.now() * 1e6 + originNs - atNs;
    while (Atomics.load(words, WORD.seen) !== turn) if (sleeper === mine) Atomics.wait(words, WORD.end, 0, 0.1);
    const slept = Atomics.load(words, WORD.slept) === 1;
    found.push({ callNs, latencyNs: Math.max(0, (wokeAtNs[0] as number) - atNs), slept });
  }
  Atomics.store(words, WORD.end, 1);
  Atomics.store(words, WORD.turn, -1);
  futexes.wake(WORD.turn, 1);
  await Promise.all(ends.map(({ exited }) => exited));
  keepThreadOn(CPUS);
  // The engine compiles meanwhile.
  return found.slice(times / 10);
}

function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
