/**
 * Measures a profile of the machine it runs on. Each number is the median of many, each table the quantiles of what was seen. What cannot be
 * measured by itself (the work of libzmq's I/O thread, what an event loop adds) is solved for: the value with which the simulated
 * round trip is as long as the real one. What the kernel does not tell without privileges (time slices) is Linux's default.
 *
 * Everything here is disturbed by whatever else runs; it wants the machine to itself.
 */
import { availableParallelism, cpus, release } from 'node:os';
import { pack, unpack } from 'msgpackr';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { HEADER_BYTES } from '../../net/frame.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import { measure } from '../measure/measure.ts';
import type { MeasuredRound, Workload } from '../result/result.ts';
import { CALLS, coldCosts, overshoots, socketCosts, stepNs, watchInterrupts } from './calibrate-calls.ts';
import { median, quantilesOf, timed } from './calibrate-samples.ts';
import { APART, WAKES, type WakeUp, wakeUps } from './calibrate-waking.ts';
import { simulateCell } from './cell.ts';
import type { Profile } from './profile.ts';

/** How long a CPU has been idle when it is woken. */
const SOON_MS = 0.02;
/**
 * Idle times at which waking is measured of a CPU that sleeps, and from which on each is taken for the truth. A short one comes after
 * one that was too long for the CPU to poll in the next.
 */
const SLEEPS = [
  { fromNs: 0, idleMs: [1, 0.01], times: 600 },
  { fromNs: 25_000, idleMs: [1, 0.06], times: 600 },
  { fromNs: 200_000, idleMs: [0.4], times: 6_000 },
  { fromNs: 650_000, idleMs: [1], times: 1_000 },
  { fromNs: 2_000_000, idleMs: [5], times: 200 },
] as const;
/** Of Linux's KVM, which does not tell its guests: `halt_poll_ns`, and where that begins to grow. */
const POLLING = { firstNs: 10_000, maxNs: 200_000 } as const;
/** A thread that has not done something for longer than this is out of practice. */
const COLD_AFTER_NS = 500_000;
const TIMERS = 1_000;
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
  const cold = coldCosts(leafNs, HEADER_BYTES + PAYLOAD_BYTES);

  const more = (ns: number) => Math.max(0, ns - futexCallNs);
  const callNs = (wakes: readonly WakeUp[]) => median(wakes.map((wake) => wake.callNs));
  const wakeOf = (wakes: readonly WakeUp[]) => ({
    // The rare ones, too: a waker that is held up in its call is what an attempt of a policy that lets waiters starve succeeds by.
    callNs: quantilesOf(
      wakes.map((wake) => more(wake.callNs)),
      0,
    ),
    leadNs: quantilesOf(
      wakes.map((wake) => wake.latencyNs - wake.callNs),
      0,
    ),
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
        extraNs: { ...cold.extraNs, wake: Math.max(0, callNs(contended) - callNs(soon)) },
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

  tell('round trips through libzmq');
  const withIo = await solve(profile, 'native', 'ioNs');
  return solve(withIo, 'zeromq', 'eventLoopNs');
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
