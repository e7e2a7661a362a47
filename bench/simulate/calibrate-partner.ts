/** Thread body: the other thread of `convoy calibrate`. */
import { parentPort, workerData } from 'node:worker_threads';
import { Futexes } from '../../lock/machines/futex.ts';
import { WOKEN } from '../../lock/memory.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { placeThread } from '../processes/affinity.ts';
import { type PartnerTask, WORD } from './calibrate-messages.ts';
import { sendMessages, waitForOffers } from './calibrate-offering.ts';

const task = workerData as PartnerTask;
const words = new Int32Array(task.words);
placeThread([task.cpu]);

if (task.kind === 'busy') {
  parentPort?.postMessage('ready');
  while (Atomics.load(words, WORD.end) === 0);
} else if (task.kind === 'toucher') {
  parentPort?.postMessage('ready');
  for (let turn = 0; turn >= 0; turn = Atomics.load(words, WORD.turn)) {
    if (turn === Atomics.load(words, WORD.seen)) continue;
    Atomics.add(words, WORD.touched, 1);
    Atomics.store(words, WORD.seen, turn);
  }
} else if (task.kind === 'waiter') {
  parentPort?.postMessage('ready');
  waitForOffers(task);
} else if (task.kind === 'client') {
  parentPort?.postMessage('ready');
  sendMessages(task, words);
} else {
  parentPort?.postMessage('ready');
  const wokeAt = new Float64Array(task.wokeAtNs);
  const futexes = new Futexes(words);
  const originNs = clockOriginNs();
  let turn = 0;
  while (turn >= 0) {
    const workedMs = performance.now() + task.workMs;
    while (performance.now() < workedMs);
    Atomics.store(words, WORD.asleep, turn + 1);
    if (task.workMs > 0) futexes.wake(WORD.asleep, 1);
    let slept = 0;
    while (Atomics.load(words, WORD.turn) === turn) if (futexes.wait(WORD.turn, turn, Infinity) === WOKEN) slept = 1;
    wokeAt[0] = performance.now() * 1e6 + originNs;
    turn = Atomics.load(words, WORD.turn);
    Atomics.store(words, WORD.slept, slept);
    Atomics.store(words, WORD.seen, turn);
  }
}
