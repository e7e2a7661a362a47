/** The other threads of a calibration: on which CPUs they and this one are, and how long. */
import { Worker } from 'node:worker_threads';
import { Futexes } from '../../lock/machines/futex.ts';
import { placeThread } from '../processes/affinity.ts';
import { allowedCpus, parseCpuList } from '../processes/cpu-list.ts';
import { type Partner, type PartnerTask, WORD } from './calibrate-messages.ts';

const PARTNER = new URL('./calibrate-partner.js', import.meta.url);
const WORDS_BYTES = 1_024;

/** On which CPU who is, and whether a busy thread is where the sleeper is. */
export interface Places {
  readonly sleeper: number;
  readonly waker: number;
  readonly busy: boolean;
}

/** The CPUs of this process; it may have been given some of the machine's only. */
const CPUS = parseCpuList(allowedCpus()) ?? [0];
const [FIRST = 0, SECOND = FIRST] = CPUS;

/** On CPUs of their own, where there are two; in turns the other way round, since one may have the interrupts of most devices. */
export function apart(round: number): Places {
  const [sleeper, waker] = round % 2 === 1 ? [SECOND, FIRST] : [FIRST, SECOND];
  return { sleeper, waker, busy: false };
}
/** On one. */
export const TOGETHER: Places = { sleeper: FIRST, waker: FIRST, busy: false };

/**
 * Does something on this thread's CPU while the others are on theirs, and ends them; then this thread has all CPUs again that the process has.
 *
 * @param use is given the words by which they understand each other: {@link WORD}
 */
export async function withPartners<Found>(
  { sleeper, waker }: Places,
  partners: readonly Partner[],
  use: (words: Int32Array<SharedArrayBuffer>) => Found,
): Promise<Found> {
  const words = new Int32Array(new SharedArrayBuffer(WORDS_BYTES));
  const exits: Promise<unknown>[] = [];
  for (const partner of partners) {
    const workerData: PartnerTask = { ...partner, cpu: sleeper, words: words.buffer };
    const worker = new Worker(PARTNER, { workerData });
    exits.push(new Promise((resolve) => worker.once('exit', resolve)));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  }
  placeThread([waker]);
  try {
    return use(words);
  } finally {
    Atomics.store(words, WORD.end, 1);
    Atomics.store(words, WORD.turn, -1);
    new Futexes(words).wake(WORD.turn, 1);
    await Promise.all(exits);
    placeThread(CPUS);
  }
}

/** Does something with this thread, and the processes it starts meanwhile, on one CPU. */
export async function onOneCpu<Found>(use: () => Promise<Found>): Promise<Found> {
  placeThread([FIRST]);
  try {
    return await use();
  } finally {
    placeThread(CPUS);
  }
}

/** Waits, awake, until the other thread has seen a turn. On one CPU the other needs this one's. */
export function untilSeen(words: Int32Array<SharedArrayBuffer>, turn: number, { sleeper, waker }: Places): void {
  while (Atomics.load(words, WORD.seen) !== turn) if (sleeper === waker) Atomics.wait(words, WORD.end, 0, 0.1);
}
