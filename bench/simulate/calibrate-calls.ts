/** What a thread does by itself, measured: steps of a policy, calls, timers, and what it takes more after a sleep. Nobody is woken. */
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import type { Doing } from '../../lock/machines/virtual-time/machine.ts';
import py32 from '../../lock/policies/py32.ts';
import { PollSet, READABLE } from '../../net/poll-set.ts';
import * as posix from '../../net/posix.ts';
import { median, quantilesOf, timed } from './calibrate-samples.ts';
import { COLD_MS } from './calibrate-waking.ts';
import type { Profile } from './profile.ts';

const COLD_TIMES = 300;
/** Of an interpreter between two calls. */
const WORK_NS = 10_000;
export const CALLS = 20_000;
/** A gap between two readings of the clock of a thread that does nothing else, above which it was interrupted. */
const INTERRUPTED_NS = 1_000;
const INTERRUPT_WATCH_MS = 3_000;

/** Steps of an acquire and a release of a thread that is alone: what py32 claims, and `convoy check` proves. */
const STEPS_ALONE = (py32.claims ?? [])
  .filter((claim) => claim.kind === 'fast-path')
  .reduce((steps, { acquire, release }) => steps + acquire + release, 0);

/** What a step of a policy takes where the bench runs it: the generator included. */
export function stepNs(): number {
  const lock = new GlobalLock(py32, { interval: 5e6 }, createLockState(py32), 1);
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
  return Math.max(1, Math.round(pairNs / 100 / STEPS_ALONE));
}

/** How late each of many sleeps ended. */
export function overshoots(times: number, ns: number, sleep: () => void): number[] {
  return timed(times, sleep).map((tookNs) => Math.max(0, tookNs - ns));
}

/** How often a thread that does nothing but read the clock is interrupted, and for how long. */
export function watchInterrupts(): Profile['scheduler']['interrupts'] {
  const gapsNs: number[] = [];
  const startMs = performance.now();
  let beforeMs = startMs;
  while (beforeMs - startMs < INTERRUPT_WATCH_MS) {
    const nowMs = performance.now();
    const gapNs = (nowMs - beforeMs) * 1e6;
    if (gapNs > INTERRUPTED_NS) gapsNs.push(gapNs);
    beforeMs = nowMs;
  }
  if (gapsNs.length === 0)
    return {
      everyNs: 0,
      durationNs: [
        [0, 0],
        [1, 0],
      ],
    };
  return { everyNs: Math.round((INTERRUPT_WATCH_MS * 1e6) / gapsNs.length), durationNs: quantilesOf(gapsNs, 0) };
}

/**
 * What a thread does for a message, each kind of call by turns its last part: right after the same, and after a sleep. All in this thread:
 * nobody is woken.
 */
export function coldCosts(leafNs: number): { wayNs: number; extraNs: Omit<Record<Doing, number>, 'wake' | 'offer'> } {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const futexes = new Futexes(words);
  const lock = new GlobalLock(py32, { interval: 5e6 }, createLockState(py32), 1);
  const interpreter = new Interpreter(lock, leafNs);
  const listener = posix.listen({ host: '127.0.0.1', port: 0 });
  const client = posix.connect({ host: '127.0.0.1', port: posix.portOf(listener) });
  const server = posix.accept(listener);
  const set = new PollSet();
  set.add(server, READABLE, null);
  const some = new Uint8Array(4);
  const calls = {
    recv: { before: () => void posix.send(client, some), call: () => void posix.recv(server, some), after: () => {} },
    send: { before: () => {}, call: () => void posix.send(client, some), after: () => void posix.recv(server, some) },
    nothing: { before: () => {}, call: () => void posix.tryRecv(server, some), after: () => {} },
    poll: { before: () => {}, call: () => void posix.poll(set, 0), after: () => {} },
  };
  const medianOf = (rows: readonly number[][], part: number) => median(rows.map((row) => row[part] as number));
  const lasts = (parts: readonly (() => void)[]) => {
    let beforeMs = performance.now();
    return parts.map((part) => {
      part();
      const nowMs = performance.now();
      const tookNs = (nowMs - beforeMs) * 1e6;
      beforeMs = nowMs;
      return tookNs;
    });
  };
  try {
    const extraOf = (name: keyof typeof calls) => {
      const { before, call, after } = calls[name];
      const parts = [
        () => {
          lock.acquire();
          lock.release();
        },
        posix.goTheWay,
        () => interpreter.work(WORK_NS),
        call,
      ];
      const rows = (sleepMs: number) =>
        Array.from({ length: COLD_TIMES }, () => {
          before();
          if (sleepMs > 0) futexes.wait(0, 0, sleepMs * 1e6);
          const row = lasts(parts);
          after();
          return row;
        });
      rows(0);
      const warm = rows(0);
      const cold = rows(COLD_MS);
      const extra = (part: number) => Math.max(0, medianOf(cold, part) - medianOf(warm, part));
      return { wayNs: medianOf(warm, 1), step: extra(0), way: extra(1), work: extra(2), call: extra(3) };
    };
    const recv = extraOf('recv');
    return {
      wayNs: recv.wayNs,
      extraNs: {
        step: recv.step,
        way: recv.way,
        work: recv.work,
        recv: recv.call,
        send: extraOf('send').call,
        nothing: extraOf('nothing').call,
        poll: extraOf('poll').call,
      },
    };
  } finally {
    for (const socket of [client, server, listener]) posix.close(socket);
  }
}

/** All in this thread: nobody is woken. */
export function socketCosts(): Omit<Profile['sockets'], 'wakeNs' | 'wayNs' | 'bufferBytes'> {
  const listener = posix.listen({ host: '127.0.0.1', port: 0 });
  const client = posix.connect({ host: '127.0.0.1', port: posix.portOf(listener) });
  const server = posix.accept(listener);
  try {
    const costs = (bytes: number) => {
      const buffer = new Uint8Array(bytes);
      const sends: number[] = [];
      const receives: number[] = [];
      for (let i = 0; i < CALLS / 4; i++) {
        sends.push(...timed(1, () => void posix.send(client, buffer)));
        receives.push(...timed(1, () => void posix.recv(server, buffer)));
      }
      return { sendNs: median(sends), recvNs: median(receives) };
    };
    costs(4);
    const small = costs(4);
    const large = costs(32 * 1024);
    const perKibNs = Math.max(0, Math.round((large.sendNs + large.recvNs - small.sendNs - small.recvNs) / 2 / 32));
    const nothing = new Uint8Array(4);
    const set = new PollSet();
    set.add(listener, READABLE, null);
    set.add(server, READABLE, null);
    return {
      recvNs: Math.round(small.recvNs),
      sendNs: Math.round(small.sendNs),
      perKibNs,
      nothingNs: Math.round(median(timed(CALLS, () => void posix.tryRecv(server, nothing)))),
      pollNs: Math.round(median(timed(CALLS, () => void posix.poll(set, 0)))),
    };
  } finally {
    for (const socket of [client, server, listener]) posix.close(socket);
  }
}
