/** What a thread does by itself, measured: steps of a policy, calls, timers, and what it takes more after a sleep. Nobody is woken. */
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import type { Doing } from '../../lock/machines/virtual-time/machine.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import py27 from '../../lock/policies/py27.ts';
import py32 from '../../lock/policies/py32.ts';
import type { Policy } from '../../lock/policy.ts';
import { HEADER_BYTES } from '../../net/frame.ts';
import { PollSet, READABLE } from '../../net/poll-set.ts';
import * as posix from '../../net/posix.ts';
import { withConnection } from './calibrate-connection.ts';
import { byKey, median, quantilesOf, sinceNs, timed } from './calibrate-samples.ts';
import { COLD_MS } from './calibrate-waking.ts';
import type { Profile } from './profile.ts';

const COLD_TIMES = 300;
/** Of an interpreter between two calls. */
export const WORK_NS = 10_000;
export const CALLS = 20_000;
/** A gap between two readings of the clock of a thread that does nothing else, above which it was interrupted. */
const INTERRUPTED_NS = 1_000;

/** From one offer to the next, as under py27. */
export const LEAVES_OF_OFFER = 4;
const OFFERS_IN_A_TURN = 250;
const OFFER_TURNS = 200;

/** A word that holds 0, and that nobody else uses. */
function loneWord(): Futexes {
  return new Futexes(new Int32Array(new SharedArrayBuffer(4)));
}

/** A lock that nobody else uses. */
export function loneLock(policy: Policy, options: Readonly<Record<string, number>>): GlobalLock {
  return new GlobalLock(policy, options, createLockState(policy), 1);
}

/** Steps of an acquire and a release of a thread that is alone: what the policy claims, and `convoy check` proves. */
function stepsAlone({ claims }: Policy): number {
  return (claims ?? [])
    .filter((claim) => claim.kind === 'fast-path')
    .reduce((steps, { acquire, release }) => steps + acquire + release, 0);
}

/** What a step of a policy takes where the bench runs it: the generator included. */
export function stepNs(): number {
  const lock = loneLock(py32, { interval: 5e6 });
  lock.acquire();
  lock.release();
  const pairNs = median(
    timed(2_000, () => {
      for (let i = 0; i < 100; i++) {
        lock.acquire();
        lock.release();
      }
    }),
  );
  return Math.max(1, Math.round(pairNs / 100 / stepsAlone(py32)));
}

/**
 * What an offer at a yield point takes by itself, and the counting of ticks up to it: by how much leaves are longer that end in one, of which there
 * are as many as under py27. Leaves with offers and without are measured in turns: they take six times what an offer adds to them, and a twentieth more
 * or less from one moment to the next.
 *
 * @param leafNs a leaf of a policy that counts nothing
 * @param atomicNs {@link stepNs}
 */
export function offerNs(leafNs: number, atomicNs: number): number {
  const lock = loneLock(py27, { check: LEAVES_OF_OFFER });
  const offering = new Interpreter(lock, leafNs, leafNs);
  const working = new Interpreter(loneLock(freeThreaded, {}), leafNs);
  lock.acquire();
  const moreNs: number[] = [];
  for (let turn = 0; turn < OFFER_TURNS; turn++) {
    const withoutNs = worked(working, leafNs);
    moreNs.push((worked(offering, leafNs) - withoutNs) / OFFERS_IN_A_TURN);
  }
  lock.release();
  // The engine compiles in the first half.
  const offeringNs = median(moreNs.slice(OFFER_TURNS / 2));
  return Math.max(0, Math.round(offeringNs - stepsAlone(py27) * atomicNs));
}

/** How long leaves took for as many offers as there are in a turn. */
function worked(interpreter: Interpreter, leafNs: number): number {
  const startMs = performance.now();
  interpreter.work(OFFERS_IN_A_TURN * LEAVES_OF_OFFER * leafNs);
  return sinceNs(startMs);
}

/** How late each of many sleeps ended. */
export function overshoots(times: number, ns: number, sleep: () => void): number[] {
  return timed(times, sleep).map((tookNs) => Math.max(0, tookNs - ns));
}

/** Watches a thread that does nothing but read the clock. Returns how long each of its interruptions took. */
export function watchInterrupts(forMs: number): number[] {
  const gapsNs: number[] = [];
  const startMs = performance.now();
  let beforeMs = startMs;
  while (beforeMs - startMs < forMs) {
    const nowMs = performance.now();
    const gapNs = (nowMs - beforeMs) * 1e6;
    if (gapNs > INTERRUPTED_NS) gapsNs.push(gapNs);
    beforeMs = nowMs;
  }
  return gapsNs;
}

/** @param gapsNs what {@link watchInterrupts} saw in `watchedMs` */
export function interruptsOf(gapsNs: readonly number[], watchedMs: number): Profile['scheduler']['interrupts'] {
  if (gapsNs.length === 0)
    return {
      everyNs: 0,
      durationNs: [
        [0, 0],
        [1, 0],
      ],
    };
  return { everyNs: Math.round((watchedMs * 1e6) / gapsNs.length), durationNs: quantilesOf(gapsNs, 0) };
}

/** What a call takes right after the last one, and how much more after a sleep, many times. */
export interface WarmAndCold {
  readonly warmNs: number;
  readonly extraNs: readonly number[];
}

/**
 * Makes calls, one after the other, after a sleep and then without one, and so on in turns: those of a kind all together, the warm ones a third of a
 * millisecond, would meet a moment of their own of a machine that is half as fast for some.
 *
 * @param turn sleeps for so long, if it is not 0, and makes the calls, between what else belongs to a turn
 */
async function inTurns<Name extends string>(
  calls: Readonly<Record<Name, () => void>>,
  sleepMs: number,
  turn: (sleepMs: number, make: () => void) => void | Promise<void>,
): Promise<Record<Name, WarmAndCold>> {
  const names = Object.keys(calls) as Name[];
  const once = async (ms: number) => {
    const tookNs: Partial<Record<Name, number>> = {};
    await turn(ms, () => {
      for (const name of names) tookNs[name] = timed(1, calls[name])[0] as number;
    });
    return tookNs as Record<Name, number>;
  };
  // The engine compiles meanwhile.
  for (let i = 0; i < COLD_TIMES; i++) await once(0);
  const pairs: (readonly [cold: Record<Name, number>, warm: Record<Name, number>])[] = [];
  for (let i = 0; i < COLD_TIMES; i++) {
    const cold = await once(sleepMs);
    // A part of the first one after it is cold still.
    await once(0);
    pairs.push([cold, await once(0)]);
  }
  const rows = pairs.map((pair) => byKey(pair, ([coldNs = 0, warmNs = 0]) => ({ coldNs, warmNs })));
  return byKey(rows, (each) => ({
    warmNs: median(each.map(({ warmNs }) => warmNs)),
    extraNs: each.map(({ coldNs, warmNs }) => Math.max(0, coldNs - warmNs)),
  }));
}

/**
 * What a server's thread does for a message, right after the last one, and what each takes more after a sleep, many times. In this order, since each warms a part of the next: what
 * a send takes more as the first call of a thread is several times what it takes after a recv. All in this thread: nobody is woken.
 *
 * @param messageBytes header and body
 * @returns by what it does
 */
export function coldCosts(
  leafNs: number,
  messageBytes: number,
): Promise<Record<'step' | 'way' | 'work' | 'recv' | 'wait' | 'send' | 'nothing' | 'poll', WarmAndCold>> {
  const futexes = loneWord();
  const lock = loneLock(py32, { interval: 5e6 });
  const interpreter = new Interpreter(lock, leafNs);
  return withConnection((client, server) => {
    const set = new PollSet();
    set.add(server, READABLE, null);
    const message = new Uint8Array(messageBytes);
    const header = message.subarray(0, HEADER_BYTES);
    const body = message.subarray(HEADER_BYTES);
    const parts = {
      step() {
        lock.acquire();
        lock.release();
      },
      way: posix.goTheWay,
      work: () => interpreter.work(WORK_NS),
      recv() {
        posix.recv(server, header);
        posix.recv(server, body);
      },
      wait: () => void futexes.wait(0, 1, Infinity),
      send: () => void posix.send(server, message),
      nothing: () => void posix.tryRecv(server, header),
      poll: () => void posix.poll(set, 0),
    } satisfies Partial<Record<Doing, () => void>>;
    return inTurns(parts, COLD_MS, (sleepMs, make) => {
      posix.send(client, message);
      if (sleepMs > 0) futexes.wait(0, 0, sleepMs * 1e6);
      make();
      posix.recv(client, message);
    });
  });
}

/**
 * What calls take a thread that makes them one after the other, after an acquire and a release.
 *
 * @param around how long it sleeps before, if it does; what it does before that, and after the calls
 */
export function warmAndCold<Name extends string>(
  calls: Readonly<Record<Name, () => void>>,
  around: { sleptMs?: number; before?: () => Promise<unknown>; after?: () => Promise<unknown> } = {},
): Promise<Record<Name, WarmAndCold>> {
  const futexes = loneWord();
  const lock = loneLock(py32, { interval: 5e6 });
  return inTurns(calls, around.sleptMs ?? COLD_MS, async (sleepMs, make) => {
    await around.before?.();
    if (sleepMs > 0) futexes.wait(0, 0, sleepMs * 1e6);
    lock.acquire();
    lock.release();
    make();
    await around.after?.();
  });
}

/** All in this thread: nobody is woken. */
export function socketCosts(): Promise<Omit<Profile['sockets'], 'wakeNs' | 'wayNs' | 'bufferBytes'>> {
  return withConnection((client, server) => {
    const costs = (bytes: number) => {
      const buffer = new Uint8Array(bytes);
      const sends: number[] = [];
      const receives: number[] = [];
      for (let i = 0; i < CALLS / 8; i++) {
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          sends.push(...timed(1, () => void posix.send(from, buffer)));
          receives.push(...timed(1, () => void posix.recv(to, buffer)));
        }
      }
      return { sendNs: median(sends), recvNs: median(receives) };
    };
    costs(4);
    const small = costs(4);
    const large = costs(32 * 1024);
    const perKibNs = Math.max(0, Math.round((large.sendNs + large.recvNs - small.sendNs - small.recvNs) / 2 / 32));
    const nothing = new Uint8Array(4);
    const set = new PollSet();
    set.add(client, READABLE, null);
    set.add(server, READABLE, null);
    return {
      recvNs: Math.round(small.recvNs),
      sendNs: Math.round(small.sendNs),
      perKibNs,
      nothingNs: Math.round(median(timed(CALLS, () => void posix.tryRecv(server, nothing)))),
      pollNs: Math.round(median(timed(CALLS, () => void posix.poll(set, 0)))),
    };
  });
}
