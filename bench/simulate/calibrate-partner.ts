/** Thread body: the other thread of `convoy calibrate`. */
import { parentPort, workerData } from 'node:worker_threads';
import { GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import priority from '../../lock/policies/priority.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { pinTo } from '../processes/affinity.ts';
import { type PartnerTask, type SpinnerTask, WORD } from './calibrate-messages.ts';

const task = workerData as PartnerTask | SpinnerTask;
const words = new Int32Array(task.words);
if (task.kind !== 'spinner') pinTo(task.cpu);

if (task.kind === 'spinner') {
  const lock = new GlobalLock(priority, { interval: 5_000_000 }, task.state, 2);
  const interpreter = new Interpreter(lock, task.leafNs);
  lock.acquire();
  lock.setPriority(-1);
  parentPort?.postMessage('ready');
  while (Atomics.load(words, WORD.end) === 0) interpreter.fib(20);
  lock.release();
} else if (task.kind === 'busy') {
  parentPort?.postMessage('ready');
  while (Atomics.load(words, WORD.end) === 0);
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
    while (Atomics.load(words, WORD.turn) === turn) futexes.wait(WORD.turn, turn, Infinity);
    wokeAt[0] = performance.now() * 1e6 + originNs;
    turn = Atomics.load(words, WORD.turn);
    Atomics.store(words, WORD.seen, turn);
  }
}
