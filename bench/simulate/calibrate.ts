/**
 * Measures a profile of the machine it runs on. Each number is the median of many, each table the quantiles of what was seen. What cannot be
 * measured by itself (the work of libzmq's I/O thread, what an event loop adds) is solved for: the value with which the simulated
 * round trip is as long as the real one. What the kernel does not tell without privileges (time slices) is Linux's default.
 *
 * Everything here is disturbed by whatever else runs; it wants the machine to itself.
 */
import { availableParallelism, cpus, release } from 'node:os';
import { Worker } from 'node:worker_threads';
import { pack, unpack } from 'msgpackr';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import { VirtualLock, VirtualLockState } from '../../lock/machines/virtual-time/lock.ts';
import { type Doing, Machine } from '../../lock/machines/virtual-time/machine.ts';
import type { Program } from '../../lock/machines/virtual-time/thread.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import priority from '../../lock/policies/priority.ts';
import py32 from '../../lock/policies/py32.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { PollSet, READABLE } from '../../net/poll-set.ts';
import * as posix from '../../net/posix.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import { measure } from '../measure/measure.ts';
import { pinTo, unpin } from '../processes/affinity.ts';
import type { MeasuredRound, Workload } from '../result/result.ts';
import { type PartnerTask, type SpinnerTask, WORD } from './calibrate-messages.ts';
import { simulateCell } from './cell.ts';
import type { Profile } from './profile.ts';
import { type Quantiles, Random } from './random.ts';
import { LinuxScheduler } from './scheduler.ts';

const PARTNER = new URL('./calibrate-partner.js', import.meta.url);
const SHARES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1] as const;
/** What is rarer than this at either end was an interruption, and those are simulated by themselves. */
const RARE = 0.01;
const WAKES = 2_000;
/** How long a CPU has been idle when it is woken. */
const SOON_MS = 0.02;
const LONG_MS = 0.5;
/**
 * Idle times at which waking is measured of a CPU that sleeps, and from which on each is taken for the truth. A short one comes after
 * one that was too long for the CPU to poll in the next.
 */
const SLEEPS = [
  { fromNs: 0, idleMs: [1, 0.01], times: 600 },
  { fromNs: 25_000, idleMs: [1, 0.06], times: 600 },
  { fromNs: 200_000, idleMs: [0.4], times: 2_000 },
  { fromNs: 650_000, idleMs: [1], times: 1_000 },
  { fromNs: 2_000_000, idleMs: [5], times: 200 },
] as const;
/** Of Linux's KVM, which does not tell its guests: `halt_poll_ns`, and where that begins to grow. */
const POLLING = { firstNs: 10_000, maxNs: 200_000 } as const;
/** A thread that has not done something for longer than this is out of practice; so long it sleeps to become so. */
const COLD_AFTER_NS = 500_000;
const COLD_MS = 2;
const COLD_TIMES = 300;
const TAKES = 500;
const PRIORITY_OPTIONS = { interval: 5_000_000 };
/** Of an interpreter between two calls. */
const WORK_TICKS = 10_000 / TICK_NS;
const TIMERS = 1_000;
const CALLS = 20_000;
/** A gap between two readings of the clock of a thread that does nothing else, above which it was interrupted. */
const INTERRUPTED_NS = 1_000;
const INTERRUPT_WATCH_MS = 3_000;
/** For the other thread to be woken. */
const ANSWER_TIMEOUT_MS = 10_000;
const PAYLOAD_BYTES = 8_192;
const ROUND_TRIPS = 400;

/** @param tell is told what is measured next */
export async function calibrate(name: string, tell: (what: string) => void): Promise<Profile> {
  tell('steps and leaves');
  const leafNs = Math.round(
    measureLeafNs(new Interpreter(new GlobalLock(freeThreaded, {}, createLockState(freeThreaded), 1), TICK_NS)),
  );
  const atomicNs = stepNs();
  const words = new Int32Array(new SharedArrayBuffer(512));
  const futexes = new Futexes(words);
  const futexCallNs = median(timed(CALLS, () => futexes.wake(0, 1)));

  tell('waking threads');
  const soon = await wakeUps(APART, { kind: 'working', idleMs: [SOON_MS] });
  const asleep: [number, WakeUp[]][] = [];
  for (const { fromNs, idleMs, times } of SLEEPS) {
    const wakes = await wakeUps(APART, { kind: 'working', idleMs }, times);
    asleep.push([fromNs, wakes.filter((_, i) => i % idleMs.length === idleMs.length - 1)]);
  }
  const contended = await wakeUps(APART, { kind: 'contending', idleMs: [SOON_MS] }, WAKES / 4);
  const pinned = await wakeUps({ ...APART, busy: true }, { kind: 'sleeping' });
  const shared = await wakeUps({ sleeper: 0, waker: 0, busy: false }, { kind: 'sleeping' });

  tell('timers and interrupts');
  const pauses = overshoots(TIMERS, 1e6, () => Atomics.wait(words, 0, 0, 1));
  const timeouts = overshoots(TIMERS / 4, 5e6, () => futexes.wait(0, 0, 5e6));
  const interrupts = watchInterrupts();

  tell('sockets');
  const sockets = socketCosts();
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const packed = pack(payload);
  const encodeNs = median(timed(CALLS / 4, () => void unpack(pack(payload))));

  tell('what was not done for long');
  const cold = coldCosts(leafNs);

  const more = (ns: number) => Math.max(0, ns - futexCallNs);
  const callNs = (wakes: readonly WakeUp[]) => median(wakes.map((wake) => wake.callNs));
  const wakeOf = (wakes: readonly WakeUp[]) => ({
    callNs: quantilesOf(wakes.map((wake) => more(wake.callNs))),
    leadNs: quantilesOf(wakes.map((wake) => wake.latencyNs - wake.callNs)),
  });
  const latencies = (wakes: readonly WakeUp[]) => quantilesOf(wakes.map((wake) => more(wake.latencyNs)));
  const profile: Profile = {
    name,
    summary: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} CPUs, Linux ${release()}, Node ${process.version}, measured by convoy calibrate; a payload packs to ${packed.length} bytes`,
    cpus: availableParallelism(),
    interpreterCostNs: 10_000,
    leafNs,
    lock: {
      atomicNs,
      futexCallNs,
      futexWakeNs: more(callNs(pinned)),
      cold: {
        afterNs: COLD_AFTER_NS,
        extraNs: { ...cold.extraNs, offer: 0, wake: Math.max(0, callNs(contended) - callNs(soon)) },
      },
    },
    scheduler: {
      wakeIdleNs: latencies(soon),
      idle: {
        polling: POLLING,
        polled: wakeOf(soon),
        asleep: asleep.map(([idleNs, wakes]) => ({ idleNs, ...wakeOf(wakes) })),
      },
      preemptNs: latencies(pinned),
      switchNs: Math.max(100, median(shared.map((wake) => wake.latencyNs - wake.callNs))),
      sliceNs: 3_000_000,
      tickNs: 4_000_000,
      wakeupGranularityNs: 1_000_000,
      interrupts,
      sleeperCreditNs: 3_000_000,
    },
    timers: { pauseOvershootNs: quantilesOf(pauses), timeoutOvershootNs: quantilesOf(timeouts) },
    sockets: { ...sockets, wakeNs: 0, wayNs: cold.wayNs, bufferBytes: 2_621_440 },
    zeromq: { callNs: 1_500, ioNs: 6_000, eventLoopNs: 12_000 },
    client: { messageNs: 3_000, encodeNs: Math.round(encodeNs / 2) },
  };

  tell('taking the lock from a CPU thread');
  const withOffer = solveOffer(profile, await takingNs(leafNs));
  tell('round trips through libzmq');
  const withIo = await solve(withOffer, 'native', 'ioNs');
  return solve(withIo, 'zeromq', 'eventLoopNs');
}

/** Steps of an acquire and a release of a thread that is alone: what py32 claims, and `convoy check` proves. */
const STEPS_ALONE = (py32.claims ?? [])
  .filter((claim) => claim.kind === 'fast-path')
  .reduce((steps, { acquire, release }) => steps + acquire + release, 0);

/** What a step of a policy takes where the bench runs it: the generator included. */
function stepNs(): number {
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

/** How long it takes to get the lock from a CPU thread of lower priority that works, and has not been disturbed for a while. */
async function takingNs(leafNs: number): Promise<number> {
  const state = createLockState(priority);
  const words = new Int32Array(new SharedArrayBuffer(512));
  const workerData: SpinnerTask = { kind: 'spinner', words: words.buffer, state, leafNs };
  const worker = new Worker(PARTNER, { workerData });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const lock = new GlobalLock(priority, PRIORITY_OPTIONS, state, 1);
  const futexes = new Futexes(words);
  const took = Array.from({ length: TAKES }, () => {
    futexes.wait(WORD.turn, 0, COLD_MS * 1e6);
    const [ns] = timed(1, () => lock.acquire());
    lock.release();
    return ns as number;
  });
  Atomics.store(words, WORD.end, 1);
  await exited;
  return median(took);
}

/** Finds what the first offer of a CPU thread takes more: with it the same takes as long in virtual time. */
function solveOffer(profile: Profile, realNs: number): Profile {
  const { scheduler, lock, leafNs } = profile;
  const random = new Random(1, 'offer');
  const machine = new Machine({ ...lock, timerOvershootNs: () => random.draw(profile.timers.timeoutOvershootNs) });
  machine.scheduler = new LinuxScheduler(machine, profile.cpus, scheduler, random);
  const leaf = { ns: leafNs, ticks: leafNs / TICK_NS };
  const state = new VirtualLockState(priority, PRIORITY_OPTIONS, 'priority', createLockState(priority), leaf);
  machine.start('CPU thread', function* (thread): Program {
    const held = new VirtualLock(state, 2, thread, machine);
    yield held.acquire();
    yield held.setPriority(-1);
    yield held.work(Infinity);
  });
  const took: number[] = [];
  machine.start('taker', function* (thread): Program {
    const taken = new VirtualLock(state, 1, thread, machine);
    for (let i = 0; i < TAKES; i++) {
      yield thread.sleepFor(COLD_MS * 1e6, 0);
      const sinceNs = machine.nowNs;
      yield taken.acquire();
      took.push(machine.nowNs - sinceNs);
      yield taken.release();
    }
    machine.stopped = true;
  });
  machine.run(Infinity);
  const offer = Math.max(0, realNs - median(took));
  const { cold } = lock;
  if (cold === undefined) return profile;
  return { ...profile, lock: { ...lock, cold: { ...cold, extraNs: { ...cold.extraNs, offer } } } };
}

/** How a thread was woken once. */
interface WakeUp {
  /** What the call took its waker. */
  readonly callNs: number;
  /** From the beginning of that call until the thread ran. */
  readonly latencyNs: number;
}

/** What the waker does between two wake-ups. */
type Waker =
  /** Works until the sleeper has slept for so long, for each of these times in turn. */
  | { readonly kind: 'working'; readonly idleMs: readonly number[] }
  /** What threads do that contend: the sleeper works for a while, wakes this thread, and is woken by it when it has slept so long. */
  | { readonly kind: 'contending'; readonly idleMs: readonly number[] }
  | { readonly kind: 'sleeping' };

/** On which CPU who is, and whether a busy thread is where the sleeper is. */
interface Places {
  readonly sleeper: number;
  readonly waker: number;
  readonly busy: boolean;
}

/** On CPUs of their own, where there are two. */
const APART: Places = { sleeper: Math.min(1, availableParallelism() - 1), waker: 0, busy: false };

/** Wakes a sleeping thread again and again. */
async function wakeUps({ sleeper, waker: mine, busy }: Places, waker: Waker, times = WAKES): Promise<WakeUp[]> {
  const words = new Int32Array(new SharedArrayBuffer(512));
  const wokeAtNs = new Float64Array(new SharedArrayBuffer(8));
  const futexes = new Futexes(words);
  const start = async (kind: PartnerTask['kind']) => {
    const workerData: PartnerTask = {
      kind,
      workMs: waker.kind === 'contending' ? COLD_MS : 0,
      cpu: sleeper,
      words: words.buffer,
      wokeAtNs: wokeAtNs.buffer,
    };
    const worker = new Worker(PARTNER, { workerData });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    // In an object: a promise returned would be waited for.
    return { exited };
  };
  const ends = [await start('sleeper'), ...(busy ? [await start('busy')] : [])];
  pinTo(mine);
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
    found.push({ callNs, latencyNs: Math.max(0, (wokeAtNs[0] as number) - atNs) });
  }
  Atomics.store(words, WORD.end, 1);
  Atomics.store(words, WORD.turn, -1);
  futexes.wake(WORD.turn, 1);
  await Promise.all(ends.map(({ exited }) => exited));
  unpin();
  // The engine compiles meanwhile.
  return found.slice(times / 10);
}

function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

function overshoots(times: number, ns: number, sleep: () => void): number[] {
  return timed(times, sleep).map((tookNs) => Math.max(0, tookNs - ns));
}

function watchInterrupts(): Profile['scheduler']['interrupts'] {
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
function coldCosts(leafNs: number): { wayNs: number; extraNs: Omit<Record<Doing, number>, 'wake' | 'offer'> } {
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
  const median = (rows: readonly number[][], part: number) =>
    percentile(sortSamples(rows.map((row) => row[part] as number)), 50);
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
        () => interpreter.work(WORK_TICKS),
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
      const extra = (part: number) => Math.max(0, Math.round(median(cold, part) - median(warm, part)));
      return { wayNs: Math.round(median(warm, 1)), step: extra(0), way: extra(1), work: extra(2), call: extra(3) };
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
function socketCosts(): Omit<Profile['sockets'], 'wakeNs' | 'wayNs' | 'bufferBytes'> {
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

/** Finds the value of one cost of libzmq for which the simulated round trip of a server is as long as the real one. */
async function solve(profile: Profile, server: string, cost: 'ioNs' | 'eventLoopNs'): Promise<Profile> {
  const policy = await readPolicySpec('free-threaded');
  const workload: Workload = {
    messages: ROUND_TRIPS,
    payloadBytes: PAYLOAD_BYTES,
    delayNs: 1e6,
    warmupMessages: 100,
    budgetNs: 10e9,
    spinners: 1,
    spinnerKind: 'fib',
    interpreterCostNs: profile.interpreterCostNs,
    maxMessageBytes: 2 ** 20,
    peerTimeoutNs: null,
    host: '127.0.0.1',
    port: 0,
  };
  const never = new AbortController().signal;
  const cell = { server, policy, scenario: 'unloaded' } as const;
  const real = await measure(
    { round: 1, cell },
    { workload, leafNs: profile.leafNs, lockCounter: null, records: false },
    never,
    never,
  );
  if (real?.state !== 'measured') throw new Error(`${server} could not be measured: ${real?.message}`);
  const wantedNs = medianRtt(real);

  const withCost = (ns: number): Profile => ({ ...profile, zeromq: { ...profile.zeromq, [cost]: ns } });
  let low = 0;
  let high = 200_000;
  while (high - low > 100) {
    const middle = Math.round((low + high) / 2);
    const setup = {
      ...cell,
      cpus: profile.cpus,
      spinners: 0,
      workload,
      profile: withCost(middle),
      seed: 1,
      round: 1,
      records: false,
    };
    const { round } = await simulateCell(setup);
    if (round.state !== 'measured') throw new Error(round.message);
    if (medianRtt(round) < wantedNs) low = middle;
    else high = middle;
  }
  return withCost(low);
}

function medianRtt({ rttNs }: MeasuredRound): number {
  return percentile(sortSamples(rttNs), 50);
}

function timed(times: number, call: () => void): number[] {
  return Array.from({ length: times }, () => {
    const startMs = performance.now();
    call();
    return (performance.now() - startMs) * 1e6;
  });
}

function median(values: readonly number[]): number {
  return Math.round(percentile(sortSamples(values), 50));
}

function quantilesOf(values: readonly number[], rare = RARE): [number, number][] {
  const sorted = sortSamples(values);
  return SHARES.map((share) => {
    const within = Math.min(1 - rare, Math.max(rare, share));
    return [share, Math.round(percentile(sorted, within * 100))] satisfies Quantiles[number] as [number, number];
  });
}
