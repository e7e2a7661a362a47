/**
 * Measures a profile of the machine it runs on. Each number is the median of many, each table the quantiles of what was seen. What cannot be
 * measured by itself (the work of libzmq's I/O thread, what an event loop adds) is solved for: the value with which the simulated
 * round trip is as long as the real one. What the kernel does not tell without privileges (time slices) is Linux's default.
 *
 * Everything here is disturbed by whatever else runs; it wants the machine to itself.
 */
import { availableParallelism, cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { pack, unpack } from 'msgpackr';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import py32 from '../../lock/policies/py32.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { clockOriginNs } from '../../net/clock.ts';
import { PollSet, READABLE } from '../../net/poll-set.ts';
import * as posix from '../../net/posix.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import { measure } from '../measure/measure.ts';
import { pinTo, unpin } from '../processes/affinity.ts';
import type { MeasuredRound, Workload } from '../result/result.ts';
import { type PartnerTask, WORD } from './calibrate-messages.ts';
import { simulateCell } from './cell.ts';
import type { Profile } from './profile.ts';
import type { Quantiles } from './random.ts';

const PARTNER = new URL('./calibrate-partner.js', import.meta.url);
const SHARES = [0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1] as const;
const WAKES = 2_000;
const LONG_MS = 0.5;
/** A CPU thread that gave the lock up sleeps for about so long before it is woken. */
const SOON_MS = 0.015;
const SOON_WITHIN_NS = 100_000;
/** How long it worked before: an idle CPU's patience, before it sleeps deeper, depends on how often it was woken of late. */
const SOON_WORK_MS = 2;
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
  const idle = await wakeUps(null, null, 'working');
  const soon = await wakeUps(null, null, 'contending');
  const pinned = availableParallelism() > 1 ? await wakeUps(0, 1, 'sleeping') : idle;
  const shared = await wakeUps(0, 0, 'sleeping');

  tell('timers and interrupts');
  const pauses = overshoots(TIMERS, 1e6, () => Atomics.wait(words, 0, 0, 1));
  const timeouts = overshoots(TIMERS / 4, 5e6, () => futexes.wait(0, 0, 5e6));
  const interrupts = watchInterrupts();

  tell('sockets');
  const sockets = socketCosts();
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const packed = pack(payload);
  const encodeNs = median(timed(CALLS / 4, () => void unpack(pack(payload))));

  const wakeCallNs = (wakes: { wakeCallNs: number }) => Math.max(0, wakes.wakeCallNs - futexCallNs);
  const profile: Profile = {
    name,
    summary: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} CPUs, measured by convoy calibrate; a payload packs to ${packed.length} bytes`,
    cpus: availableParallelism(),
    interpreterCostNs: 10_000,
    leafNs,
    lock: {
      atomicNs,
      futexCallNs,
      futexWakeNs: wakeCallNs(idle),
      cold: { withinNs: SOON_WITHIN_NS, futexWakeNs: wakeCallNs(soon) },
    },
    scheduler: {
      wakeIdleNs: quantilesOf(idle.latenciesNs.map((ns) => Math.max(0, ns - futexCallNs))),
      wakeSoon: {
        withinNs: SOON_WITHIN_NS,
        latencyNs: quantilesOf(soon.latenciesNs.map((ns) => Math.max(0, ns - futexCallNs))),
      },
      preemptNs: quantilesOf(pinned.latenciesNs.map((ns) => Math.max(0, ns - futexCallNs))),
      // There and back on one CPU are two switches and two wakes.
      switchNs: Math.max(100, Math.round(median(shared.latenciesNs) - futexCallNs)),
      sliceNs: 3_000_000,
      tickNs: 4_000_000,
      wakeupGranularityNs: 1_000_000,
      interrupts,
      sleeperCreditNs: 3_000_000,
    },
    timers: { pauseOvershootNs: quantilesOf(pauses), timeoutOvershootNs: quantilesOf(timeouts) },
    sockets: { ...sockets, wakeNs: wakeCallNs(soon), bufferBytes: 2_621_440 },
    zeromq: { callNs: 1_500, ioNs: 6_000, eventLoopNs: 12_000 },
    client: { messageNs: 3_000, encodeNs: Math.round(encodeNs / 2) },
  };

  tell('round trips through libzmq');
  const withIo = await solve(profile, 'native', 'ioNs');
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

/**
 * Wakes a sleeping thread again and again.
 *
 * @param cpu where the sleeper is, and a busy thread too unless that is where this thread is; null: anywhere, on an idle CPU
 * @param mine where this thread is
 * @param waker what this thread does between two: works, or sleeps, for half a millisecond; or what threads do that contend: the
 *   sleeper works for a while, wakes this thread, and is woken by it right after
 */
async function wakeUps(
  cpu: number | null,
  mine: number | null,
  waker: 'working' | 'sleeping' | 'contending',
): Promise<{ latenciesNs: number[]; wakeCallNs: number }> {
  const words = new Int32Array(new SharedArrayBuffer(512));
  const wokeAtNs = new Float64Array(new SharedArrayBuffer(8));
  const futexes = new Futexes(words);
  const start = async (kind: PartnerTask['kind']) => {
    const workerData: PartnerTask = {
      kind,
      workMs: waker === 'contending' ? SOON_WORK_MS : 0,
      cpu,
      words: words.buffer,
      wokeAtNs: wokeAtNs.buffer,
    };
    const worker = new Worker(PARTNER, { workerData });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    // In an object: a promise returned would be waited for.
    return { exited };
  };
  const ends = [await start('sleeper'), ...(cpu !== null && cpu !== mine ? [await start('busy')] : [])];
  if (mine !== null) pinTo(mine);
  const originNs = clockOriginNs();
  const latenciesNs: number[] = [];
  const callsNs: number[] = [];
  for (let turn = 1; turn <= WAKES; turn++) {
    const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
    if (waker === 'contending') {
      while (Atomics.load(words, WORD.asleep) !== turn && performance.now() < deadlineMs)
        futexes.wait(WORD.asleep, turn - 1, ANSWER_TIMEOUT_MS * 1e6);
      work(SOON_MS);
    } else {
      // Long enough for the sleeper to be asleep, and its CPU idle, where nothing else keeps it.
      do {
        if (waker === 'working') work(LONG_MS);
        else Atomics.wait(words, WORD.end, 0, LONG_MS);
      } while (Atomics.load(words, WORD.asleep) !== turn && performance.now() < deadlineMs);
    }
    const atNs = performance.now() * 1e6 + originNs;
    Atomics.store(words, WORD.turn, turn);
    futexes.wake(WORD.turn, 1);
    callsNs.push(performance.now() * 1e6 + originNs - atNs);
    while (Atomics.load(words, WORD.seen) !== turn)
      if (cpu === mine && cpu !== null) Atomics.wait(words, WORD.end, 0, 0.1);
    latenciesNs.push(Math.max(0, (wokeAtNs[0] as number) - atNs));
  }
  Atomics.store(words, WORD.end, 1);
  Atomics.store(words, WORD.turn, -1);
  futexes.wake(WORD.turn, 1);
  await Promise.all(ends.map(({ exited }) => exited));
  unpin();
  return { latenciesNs, wakeCallNs: median(callsNs) };
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
  return { everyNs: Math.round((INTERRUPT_WATCH_MS * 1e6) / gapsNs.length), durationNs: quantilesOf(gapsNs) };
}

/** All in this thread: nobody is woken. */
function socketCosts(): Omit<Profile['sockets'], 'wakeNs' | 'bufferBytes'> {
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

function quantilesOf(values: readonly number[]): [number, number][] {
  const sorted = sortSamples(values);
  return SHARES.map(
    (share) => [share, Math.round(percentile(sorted, share * 100))] satisfies Quantiles[number] as [number, number],
  );
}
