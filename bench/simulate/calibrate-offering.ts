/**
 * A lock that is offered every few microseconds, and a thread that waits for it, measured: who of the two is first is decided in a tenth of a
 * microsecond, and each holds the other up. So both do what they do under py27, by its own steps: who has the lock looks at nobody, and
 * who wants it comes from a message. A waker that waits until the sleeper has gone wakes later than an offer does, and a sleeper that
 * does nothing but that is quicker to go.
 */
import { recvExactly, sendAll } from '../../client/stream.ts';
import { createLockState } from '../../lock/global-lock.ts';
import { Interpreter } from '../../lock/interpreter.ts';
import { runSteps, ThreadMemory } from '../../lock/machines/threads.ts';
import { layOut, NOT_EQUAL, type Step, WOKEN, type Word } from '../../lock/memory.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import py27 from '../../lock/policies/py27.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { HEADER_BYTES } from '../../net/frame.ts';
import * as posix from '../../net/posix.ts';
import { LEAVES_OF_OFFER, loneLock, WORK_NS } from './calibrate-calls.ts';
import { withConnection } from './calibrate-connection.ts';
import { type Partner, WORD } from './calibrate-messages.ts';
import { type Places, withPartners } from './calibrate-places.ts';
import { sinceNs } from './calibrate-samples.ts';
import { COLD_AFTER_NS, type WakeUp } from './calibrate-waking.ts';

/** Between two messages. */
export const PAUSE_MS = 1;
/** For an offer to wake somebody. */
const PATIENCE_MS = 10_000;
/** So many waits that come back at once are kept for each wake-up: there are fewer. */
const RETURNS_PER_WAKE = 4;
/** When it began, how long it took, whether it was the first for a message. */
const NUMBERS_OF_WAIT = 3;

const { acquire, release } = py27.rules(layOut(py27.words), { check: 1 });

/** A call of one of the two, on the machine's clock. */
export interface Call {
  readonly atNs: number;
  readonly tookNs: number;
  /** Whether it is the first since long: the first wait for a message, a wake-up after half a millisecond without any. */
  readonly isFirst: boolean;
}

/** When it was over. */
export function endNs({ atNs, tookNs }: Call): number {
  return atNs + tookNs;
}

/** How a thread was woken by an offer. */
export interface OfferedWakeUp extends WakeUp {
  /** From the beginning of the wait to that of the call that ended it. */
  readonly offeredAfterNs: number;
}

/** How waits ended. */
export interface OfferedWaits {
  /** Those that slept. */
  readonly wakeUps: readonly OfferedWakeUp[];
  /** Those that found the lock free, and came back at once. On one CPU there may be none. */
  readonly returns: readonly Call[];
  /** The calls of offers that woke nobody. */
  readonly vain: readonly Call[];
}

/** Of the thread that offers: notes what it takes to wake somebody, and nobody. Three arrays of numbers: nothing is allocated for each. */
class OffererMemory extends ThreadMemory {
  readonly atMs: number[] = [];
  readonly tookNs: number[] = [];
  readonly woken: number[] = [];
  /** How many of them woke somebody. */
  wakes = 0;

  override notify(word: Word, count: number): Step {
    const atMs = performance.now();
    const woken = super.notify(word, count);
    this.tookNs.push(sinceNs(atMs));
    this.atMs.push(atMs);
    this.woken.push(woken);
    this.wakes += woken;
    return woken;
  }
}

/** Of the thread that waits: notes how each wait ends. */
class WaiterMemory extends ThreadMemory {
  readonly sleeps: number[] = [];
  readonly returns: number[] = [];

  override wait(word: Word, expected: number, timeoutNs: number): Step {
    const isFirst = this.sleptAtMs === 0;
    const fromMs = performance.now();
    const how = super.wait(word, expected, timeoutNs);
    const tookNs = sinceNs(fromMs);
    if (how === WOKEN) this.sleeps.push(fromMs, tookNs, isFirst ? 1 : 0);
    if (how === NOT_EQUAL) this.returns.push(fromMs, tookNs, isFirst ? 1 : 0);
    return how;
  }
}

/**
 * @param times how often the waiter is woken, at least
 * @param leafNs a leaf of interpreter work: an offer comes after each few
 */
export async function offeredWaits(
  places: Places,
  times: number,
  leafNs: number,
  messageBytes: number,
): Promise<OfferedWaits> {
  const { words: lock } = createLockState(py27);
  const slept = new Float64Array(new SharedArrayBuffer(8 * times * NUMBERS_OF_WAIT));
  const returned = new Float64Array(new SharedArrayBuffer(8 * times * RETURNS_PER_WAKE * NUMBERS_OF_WAIT));
  const found = { slept: slept.buffer, returned: returned.buffer };
  const offering = (words: Int32Array<SharedArrayBuffer>) => {
    const interpreter = loneInterpreter(leafNs);
    const memory = new OffererMemory(new Int32Array(lock));
    let deadlineMs = performance.now() + PATIENCE_MS;
    let woken = 0;
    runSteps(acquire(memory, 1));
    try {
      while (woken < times) {
        interpreter.work(LEAVES_OF_OFFER * leafNs);
        // Made before the lock is free, as in lock/global-lock.ts.
        const steps = acquire(memory, 1);
        runSteps(release(memory, 1));
        runSteps(steps);
        if (memory.wakes > woken) {
          woken = memory.wakes;
          deadlineMs = performance.now() + PATIENCE_MS;
        } else if (performance.now() > deadlineMs) throw new Error('a thread that waits for a lock does not sleep');
      }
    } finally {
      Atomics.store(words, WORD.end, 1);
      runSteps(release(memory, 1));
    }
    return memory;
  };
  const offers = await withConnection((client, server) => {
    const waiter: Partner = { kind: 'waiter', socket: server, messageBytes, lock, leafNs, found };
    return withPartners(places, [waiter, { kind: 'client', socket: client, messageBytes }], offering);
  });
  const originNs = clockOriginNs();
  const calls = offers.atMs.map((ms, i) => {
    const isFirst = i === 0 || ms - (offers.atMs[i - 1] as number) > COLD_AFTER_NS / 1e6;
    return { atNs: ms * 1e6 + originNs, tookNs: offers.tookNs[i] as number, isFirst };
  });
  const wakes = calls.filter((_, i) => offers.woken[i] === 1).slice(0, times);
  const sleeps = callsIn(slept);
  const wakeUps = wakes.map(({ atNs, tookNs }, i) => {
    const sleep = sleeps[i] as Call;
    const latencyNs = Math.max(0, endNs(sleep) - atNs);
    return { callNs: tookNs, latencyNs, offeredAfterNs: atNs - sleep.atNs, slept: true };
  });
  // The engine compiles meanwhile.
  const warmedUp = Math.floor(times / 10);
  const sinceThenNs = (wakes[warmedUp] as Call).atNs;
  return {
    wakeUps: wakeUps.slice(warmedUp),
    returns: callsIn(returned).filter(({ atNs }) => atNs > sinceThenNs),
    vain: calls.filter(({ atNs }, i) => atNs > sinceThenNs && offers.woken[i] === 0),
  };
}

/** What a waiter has written down. */
function callsIn(waits: Float64Array): Call[] {
  const calls: Call[] = [];
  for (let i = 0; i < waits.length && waits[i] !== 0; i += NUMBERS_OF_WAIT) {
    const [atNs = 0, tookNs = 0, isFirst] = waits.subarray(i, i + NUMBERS_OF_WAIT);
    calls.push({ atNs, tookNs, isFirst: isFirst === 1 });
  }
  return calls;
}

/** The thread that waits: for a message, and then for the lock, to send it back; until no more come. */
export function waitForOffers({
  socket,
  messageBytes,
  lock,
  leafNs,
  found,
}: Extract<Partner, { kind: 'waiter' }>): void {
  const memory = new WaiterMemory(new Int32Array(lock));
  const interpreter = loneInterpreter(leafNs);
  const message = new Uint8Array(messageBytes);
  const header = message.subarray(0, HEADER_BYTES);
  const body = message.subarray(HEADER_BYTES);
  while (posix.recv(socket, header) > 0) {
    recvExactly(socket, body);
    memory.sleptAtMs = 0;
    runSteps(acquire(memory, 2));
    interpreter.work(WORK_NS);
    runSteps(release(memory, 2));
    sendAll(socket, message);
  }
  const originNs = clockOriginNs();
  const onMachinesClock = (value: number, i: number) => (i % NUMBERS_OF_WAIT === 0 ? value * 1e6 + originNs : value);
  const [slept, returned] = [new Float64Array(found.slept), new Float64Array(found.returned)];
  slept.set(memory.sleeps.slice(0, slept.length).map(onMachinesClock));
  returned.set(memory.returns.slice(0, returned.length).map(onMachinesClock));
}

/** The thread from which the messages come, with pauses, until it is told to end. */
export function sendMessages(
  { socket, messageBytes }: Extract<Partner, { kind: 'client' }>,
  words: Int32Array<SharedArrayBuffer>,
): void {
  const message = new Uint8Array(messageBytes);
  while (Atomics.load(words, WORD.end) === 0) {
    sendAll(socket, message);
    recvExactly(socket, message);
    Atomics.wait(words, WORD.end, 0, PAUSE_MS);
  }
  posix.shutdown(socket);
}

/** One whose yield points never give anything up. */
function loneInterpreter(leafNs: number): Interpreter {
  return new Interpreter(loneLock(freeThreaded, {}), leafNs);
}
