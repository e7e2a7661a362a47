/**
 * Measures a profile of the machine it runs on. Each number is the median of many, each table the quantiles of what was seen. What cannot be
 * measured by itself (the work of libzmq's I/O thread, what an event loop adds) is solved for: the value with which the simulated
 * round trip is as long as the real one. What the kernel does not tell without privileges (how its scheduler is set) is Linux's default.
 *
 * Everything here is disturbed by whatever else runs; it wants the machine to itself.
 */
import { availableParallelism, cpus, release } from 'node:os';
import { pack, unpack } from 'msgpackr';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../../lock/interpreter.ts';
import { Futexes } from '../../lock/machines/futex.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import { HEADER_BYTES } from '../../net/frame.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import {
  CALLS,
  coldCosts,
  interruptsOf,
  offerNs,
  overshoots,
  socketCosts,
  stepNs,
  watchInterrupts,
} from './calibrate-calls.ts';
import { coldOffersOf, contentionOf, wakeUpsByIdleTime } from './calibrate-contention.ts';
import { schedulerOf } from './calibrate-kernel.ts';
import { roundTripsOfLibzmq, withLibzmq, zmqSends } from './calibrate-libzmq.ts';
import { fetches, lineNsOf } from './calibrate-lines.ts';
import { offeredWaits } from './calibrate-offering.ts';
import { apart, type Places, TOGETHER } from './calibrate-places.ts';
import { byKey, median, quantilesOf, timed } from './calibrate-samples.ts';
import { COLD_AFTER_NS, WAKES, type WakeUp, wakeUps } from './calibrate-waking.ts';
import { type Profile, profileSchema } from './profile.ts';

/** How long a CPU has been idle when it is woken. */
const SOON_MS = 0.02;
/** What is measured at which idle time is taken for the truth from another on. */
interface IdleTime {
  readonly fromNs: number;
  readonly idleMs: number;
}
/**
 * A CPU that its last thread has just left. Until the kernel has taken that off, which takes one that waits for a lock a while, whoever wakes it must send
 * an interrupt, which is the slowest way of all; then a flag is enough, until the CPU sleeps. The first of these times are those of offers, which come when they come.
 */
const OFFERED_FROM_NS = [0, 400, 800, 1_200, 1_600] as const;
const OFFERED_UNTIL_NS = 2_500;
const ENTERING: readonly IdleTime[] = [
  { fromNs: OFFERED_UNTIL_NS, idleMs: 0.003 },
  { fromNs: 4_000, idleMs: 0.005 },
  { fromNs: 6_000, idleMs: 0.0075 },
  { fromNs: 9_000, idleMs: 0.0105 },
];
const OFFERED_TIMES = 2_500;
const ENTERING_TIMES = 200;
/**
 * A CPU that sleeps. The short ones come after one that was too long for the CPU to poll in the next. At 0.4 ms, which is from one offer of pypy16 to the
 * next, three wake-ups in 1,000 decide that policy.
 */
const SLEEPS: readonly (IdleTime & { readonly afterMs?: number; readonly times: number })[] = [
  { fromNs: 12_000, idleMs: 0.016, afterMs: 1, times: 600 },
  { fromNs: 25_000, idleMs: 0.06, afterMs: 1, times: 600 },
  { fromNs: 200_000, idleMs: 0.4, times: 12_000 },
  { fromNs: 650_000, idleMs: 1, times: 1_000 },
  { fromNs: 2_000_000, idleMs: 5, times: 200 },
];
/** Of Linux's KVM, which does not tell its guests: `halt_poll_ns`, and where that begins to grow. */
const POLLING = { firstNs: 10_000, maxNs: 200_000 } as const;
const TIMERS = 500;
const INTERRUPT_WATCH_MS = 1_500;
const PAYLOAD_BYTES = 8_192;
/** Of libzmq itself: not measured. */
const ZMQ_CALL_NS = 1_500;
/** Before each call, unless an interpreter was calibrated. */
const INTERPRETER_COST_NS = 10_000;

/** A calibration, round by round: a machine is another from second to second, and what is rare is met seldom. */
export class Calibration {
  readonly #name: string;
  readonly #rounds: Sampled[] = [];

  /** @param name of the profile */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Measures all once.
   *
   * @param tell is told what is measured next; what it throws ends the round, which then does not count
   */
  async sample(tell: (what: string) => void): Promise<void> {
    this.#rounds.push(await sample(apart(this.#rounds.length + 1), tell));
  }

  /** What was measured so far, together. */
  async profile(): Promise<Profile> {
    const libzmq = this.#rounds.map((round) => round.libzmq);
    return profileSchema.parse(await withLibzmq(profileOf(this.#name, this.#rounds), libzmq));
  }
}

/** Measures all once. */
async function sample(places: Places, tell: (what: string) => void) {
  tell('steps and leaves');
  const lock = new GlobalLock(freeThreaded, {}, createLockState(freeThreaded), 1);
  const leafNs = Math.round(measureLeafNs(new Interpreter(lock, TICK_NS)));
  const atomicNs = stepNs();
  const offersNs = offerNs(leafNs, atomicNs);
  const words = new Int32Array(new SharedArrayBuffer(512));
  const futexes = new Futexes(words);
  const futexCallNs = timed(CALLS, () => futexes.wake(0, 1));
  const futexWaitNs = timed(CALLS, () => futexes.wait(0, 1, Infinity));

  tell('waking threads');
  const interpreter = new Interpreter(lock, leafNs);
  const soon = await wakeUps(places, { kind: 'computing', idleMs: [SOON_MS], interpreter });
  const offered = await offeredWaits(places, OFFERED_TIMES, leafNs, HEADER_BYTES + PAYLOAD_BYTES);
  const enterings = await wakeUps(
    places,
    { kind: 'working', idleMs: ENTERING.map(({ idleMs }) => idleMs) },
    ENTERING.length * ENTERING_TIMES,
  );
  // Not those that found the word written before they slept.
  const entering = ENTERING.map((_, at) => enterings.filter(({ slept }, i) => slept && i % ENTERING.length === at));
  const asleep: WakeUp[][] = [];
  for (const { idleMs, afterMs, times } of SLEEPS) {
    const turns = afterMs === undefined ? [idleMs] : [afterMs, idleMs];
    const wakes = await wakeUps(places, { kind: 'computing', idleMs: turns, interpreter }, times);
    asleep.push(wakes.filter((_, i) => i % turns.length === turns.length - 1));
  }
  const contended = await wakeUps(places, { kind: 'contending', idleMs: [SOON_MS] }, WAKES / 4);
  const pinned = await wakeUps({ ...places, busy: true }, { kind: 'sleeping' });
  const shared = await wakeUps(TOGETHER, { kind: 'sleeping' });

  const lines = await fetches(places);

  tell('timers and interrupts');
  const pauses = overshoots(TIMERS, 1e6, () => Atomics.wait(words, 0, 0, 1));
  const timeouts = overshoots(TIMERS / 4, 5e6, () => futexes.wait(0, 0, 5e6));
  const gapsNs = watchInterrupts(INTERRUPT_WATCH_MS);

  tell('calls');
  const sockets = await socketCosts();
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const encodeNs = timed(CALLS / 4, () => void unpack(pack(payload)));
  const cold = await coldCosts(leafNs, HEADER_BYTES + PAYLOAD_BYTES);

  tell('round trips through libzmq');
  const zmq = await zmqSends(PAYLOAD_BYTES);
  const libzmq = await roundTripsOfLibzmq(leafNs, INTERPRETER_COST_NS);
  return {
    ...{
      leafNs,
      atomicNs,
      offersNs,
      futexCallNs,
      futexWaitNs,
      soon,
      offered,
      entering,
      asleep,
      contended,
      pinned,
      shared,
    },
    ...{ lines, pauses, timeouts, gapsNs, sockets, encodeNs, cold, zmq, libzmq },
  };
}

type Sampled = Awaited<ReturnType<typeof sample>>;

/** What was measured in all rounds, together. What libzmq costs is not known yet. */
function profileOf(name: string, rounds: readonly Sampled[]): Profile {
  const all = <T>(of: (round: Sampled) => readonly T[]): T[] => rounds.flatMap(of);
  const one = (of: (round: Sampled) => number): number => median(rounds.map(of));
  const futexCallNs = median(all((round) => round.futexCallNs));

  const more = (ns: number) => Math.max(0, ns - futexCallNs);
  const callNs = (wakes: readonly WakeUp[]) => median(wakes.map((wake) => wake.callNs));
  // Mostly no CPU had to be interrupted for these.
  const quickestOf = (wakes: readonly WakeUp[]) => percentile(sortSamples(wakes.map((wake) => wake.callNs)), 10);
  const leadNs = ({ latencyNs, callNs }: WakeUp) => latencyNs - callNs;
  // The rare ones, too: a waker that is held up in its call is what an attempt of a policy that lets waiters starve succeeds by.
  const wakeOf = (wakes: readonly WakeUp[]) => ({
    callNs: quantilesOf(
      wakes.map((wake) => more(wake.callNs)),
      0,
    ),
    leadNs: quantilesOf(wakes.map(leadNs), 0),
  });
  const latencies = (wakes: readonly WakeUp[]) => quantilesOf(wakes.map((wake) => more(wake.latencyNs)));
  const enteringOf = (wakes: readonly WakeUp[]) => ({
    callNs: quantilesOf(wakes.map((wake) => more(wake.callNs))),
    latencyNs: latencies(wakes),
  });
  const byIdleTime = <Wake>(
    times: readonly IdleTime[],
    of: (round: Sampled) => readonly WakeUp[][],
    make: (wakes: readonly WakeUp[]) => Wake,
  ) =>
    times.flatMap(({ fromNs }, at) => {
      const wakes = all((round) => of(round)[at] ?? []);
      // On a machine on which nobody is asleep so soon.
      if (wakes.length === 0) return [];
      // Measured up to the beginning of the call that wakes; simulated is all that it does at its end.
      return [{ idleNs: fromNs + futexCallNs, ...make(wakes) }];
    });
  const offeredWakes = wakeUpsByIdleTime(
    all(({ offered }) => [offered]),
    OFFERED_FROM_NS,
    OFFERED_UNTIL_NS,
  );
  const soon = all((round) => round.soon);
  const pinned = all((round) => round.pinned);
  const gapsNs = all((round) => round.gapsNs);
  const lineNs = lineNsOf(rounds.map(({ lines }) => lines));
  const payloadBytes = pack(new Uint8Array(PAYLOAD_BYTES)).length;
  return {
    name,
    summary: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} CPUs, Linux ${release()}, Node ${process.version}, measured by convoy calibrate, ${rounds.length === 1 ? 'once' : `${rounds.length} times`}; a payload packs to ${payloadBytes} bytes`,
    cpus: availableParallelism(),
    interpreterCostNs: INTERPRETER_COST_NS,
    leafNs: one((round) => round.leafNs),
    lock: {
      atomicNs: one((round) => round.atomicNs),
      lineNs,
      offerNs: one((round) => round.offersNs),
      futexCallNs,
      futexWakeNs: more(callNs(pinned)),
      futexWaitNs: median(all((round) => round.futexWaitNs)),
      contention: contentionOf(
        rounds.map(({ offered }) => offered),
        futexCallNs,
        lineNs,
      ),
      cold: {
        afterNs: COLD_AFTER_NS,
        extraNs: {
          ...byKey(
            rounds.map(({ cold }) => cold),
            (costs) => quantilesOf(costs.flatMap(({ extraNs }) => extraNs)),
          ),
          zmqWay: quantilesOf(all(({ zmq }) => zmq.way.extraNs)),
          zmqSend: quantilesOf(all(({ zmq }) => zmq.send.extraNs)),
          wake: quantilesOf([Math.max(0, callNs(all((round) => round.contended)) - callNs(soon))]),
          offer: quantilesOf(coldOffersOf(rounds.map(({ offered }) => offered))),
        },
      },
    },
    scheduler: {
      wakeIdleNs: latencies(soon),
      idle: {
        polling: POLLING,
        polled: wakeOf(soon),
        entering: [
          ...OFFERED_FROM_NS.flatMap((fromNs, at) => {
            const wakes = offeredWakes[at] ?? [];
            if (wakes.length === 0) return [];
            return [{ idleNs: fromNs === 0 ? 0 : fromNs + futexCallNs, ...enteringOf(wakes) }];
          }),
          ...byIdleTime(ENTERING, (round) => round.entering, enteringOf),
        ],
        asleep: byIdleTime(SLEEPS, (round) => round.asleep, wakeOf),
      },
      preemptNs: latencies(pinned),
      queueNs: Math.round(more(quickestOf(all(({ offered }) => offered.wakeUps)))),
      switchNs: Math.max(100, median(all((round) => round.shared).map(leadNs))),
      tickNs: 4_000_000,
      interrupts: interruptsOf(gapsNs, rounds.length * INTERRUPT_WATCH_MS),
      ...schedulerOf(release(), availableParallelism()),
    },
    timers: {
      pauseOvershootNs: quantilesOf(all((round) => round.pauses)),
      timeoutOvershootNs: quantilesOf(all((round) => round.timeouts)),
    },
    sockets: {
      ...byKey(
        rounds.map(({ sockets }) => sockets),
        median,
      ),
      wakeNs: 0,
      wayNs: one(({ cold }) => cold.way.warmNs),
      bufferBytes: 2_621_440,
    },
    zeromq: {
      callNs: ZMQ_CALL_NS,
      ioNs: 6_000,
      wayNs: one(({ zmq }) => zmq.way.warmNs),
      sendNs: Math.max(0, one(({ zmq }) => zmq.send.warmNs) - ZMQ_CALL_NS),
      eventLoopNs: 12_000,
    },
    client: { messageNs: 3_000, encodeNs: Math.round(median(all((round) => round.encodeNs)) / 2) },
  };
}
