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
import { sortSamples } from '../figures/statistics.ts';
import { LEAVES_OF_OFFER, loneLock, WORK_NS } from './calibrate-calls.ts';
import { withConnection } from './calibrate-connection.ts';
import { type Partner, WORD } from './calibrate-messages.ts';
import { type Places, withPartners } from './calibrate-places.ts';
import { quantilesOf } from './calibrate-samples.ts';
import type { WakeUp } from './calibrate-waking.ts';
import type { Profile } from './profile.ts';

/** Between two messages. */
export const PAUSE_MS = 1;
/** For an offer to wake somebody. */
const PATIENCE_MS = 10_000;
const LINES_OF_WAIT = 2;
/** So many waits that come back at once are kept for each wake-up: there are fewer. */
const RETURNS_PER_WAKE = 4;

const { acquire, release } = py27.rules(layOut(py27.words), { check: 1 });

/** How waits ended. */
export interface OfferedWaits {
  /** Those that slept. */
  readonly wakeUps: readonly WakeUp[];
  /** How long each took that found the lock free, and came back at once. On one CPU there may be none. */
  readonly returnsNs: readonly number[];
  /** How long the call of each offer took that woke nobody. */
  readonly vainNs: readonly number[];
}

/** Of the thread that offers: notes what it takes to wake somebody, and nobody. */
class OffererMemory extends ThreadMemory {
  readonly wakes: { readonly atMs: number; readonly callNs: number }[] = [];
  readonly vainNs: number[] = [];

  override notify(word: Word, count: number): Step {
    const atMs = performance.now();
    const woken = super.notify(word, count);
    const callNs = (performance.now() - atMs) * 1e6;
    if (woken > 0) this.wakes.push({ atMs, callNs });
    else this.vainNs.push(callNs);
    return woken;
  }
}

/** Of the thread that waits: notes how each wait ends. */
class WaiterMemory extends ThreadMemory {
  readonly wokeAtMs: number[] = [];
  readonly returnsNs: number[] = [];

  override wait(word: Word, expected: number, timeoutNs: number): Step {
    const fromMs = performance.now();
    const how = super.wait(word, expected, timeoutNs);
    const untilMs = performance.now();
    if (how === WOKEN) this.wokeAtMs.push(untilMs);
    if (how === NOT_EQUAL) this.returnsNs.push((untilMs - fromMs) * 1e6);
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
  const wokeAtNs = new Float64Array(new SharedArrayBuffer(8 * times));
  const returnsNs = new Float64Array(new SharedArrayBuffer(8 * times * RETURNS_PER_WAKE));
  const found = { wokeAtNs: wokeAtNs.buffer, returnsNs: returnsNs.buffer };
  const offering = (words: Int32Array<SharedArrayBuffer>) => {
    const interpreter = loneInterpreter(leafNs);
    const memory = new OffererMemory(new Int32Array(lock));
    const { wakes } = memory;
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
        if (wakes.length > woken) {
          woken = wakes.length;
          deadlineMs = performance.now() + PATIENCE_MS;
        } else if (performance.now() > deadlineMs) throw new Error('a thread that waits for a lock does not sleep');
      }
    } finally {
      Atomics.store(words, WORD.end, 1);
      runSteps(release(memory, 1));
    }
    return memory;
  };
  const { wakes: offers, vainNs } = await withConnection((client, server) => {
    const waiter: Partner = { kind: 'waiter', socket: server, messageBytes, lock, leafNs, found };
    return withPartners(places, [waiter, { kind: 'client', socket: client, messageBytes }], offering);
  });
  const originNs = clockOriginNs();
  const wakeUps = offers.slice(0, times).map(({ atMs, callNs }, i) => {
    return { callNs, latencyNs: Math.max(0, (wokeAtNs[i] as number) - originNs - atMs * 1e6), slept: true };
  });
  // The engine compiles meanwhile.
  return { wakeUps: wakeUps.slice(times / 10), returnsNs: Array.from(returnsNs).filter((ns) => ns > 0), vainNs };
}

/**
 * How a wait and an offer that meet hold each other up. Which offers were met is not known but by their length: as many of the longest as there are
 * waits that came back at once.
 *
 * @param futexCallNs a call that wakes nobody, where nobody waits
 * @param lineNs a cache line: a wait takes two from the CPU that offers, which are counted by themselves: the word's, and that of the
 * kernel's queue
 * @returns undefined if none have met
 */
export function contentionOf(
  rounds: readonly Pick<OfferedWaits, 'returnsNs' | 'vainNs'>[],
  futexCallNs: number,
  lineNs: number,
): Profile['lock']['contention'] {
  const returnsNs = rounds.flatMap((round) => round.returnsNs);
  if (returnsNs.length === 0) return undefined;
  const metNs = rounds.flatMap(({ vainNs, returnsNs: { length } }) =>
    [...sortSamples(vainNs)].toReversed().slice(0, length),
  );
  const more = (ns: number, than: number) => Math.max(0, ns - than);
  return {
    waitNs: quantilesOf(returnsNs.map((ns) => more(ns, LINES_OF_WAIT * lineNs))),
    heldUpNs: quantilesOf(metNs.map((ns) => more(ns, futexCallNs))),
  };
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
    runSteps(acquire(memory, 2));
    interpreter.work(WORK_NS);
    runSteps(release(memory, 2));
    sendAll(socket, message);
  }
  const originNs = clockOriginNs();
  const [wokeAtNs, returnsNs] = [new Float64Array(found.wokeAtNs), new Float64Array(found.returnsNs)];
  wokeAtNs.set(memory.wokeAtMs.slice(0, wokeAtNs.length).map((ms) => ms * 1e6 + originNs));
  returnsNs.set(memory.returnsNs.slice(0, returnsNs.length));
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
