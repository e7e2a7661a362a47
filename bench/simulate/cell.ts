/**
 * Simulates one cell once: the real servers and policies in a world of simulated CPUs, threads and sockets, with the phases of
 * `bench/measure/measure.ts` (start, warm up, start the CPU threads, measure them alone, run), and the same round as the result.
 */
import {
  addCounts,
  COUNTER,
  type Counts,
  countsSince,
  DOUBLES_PER_THREAD,
  readCounts,
  readWaits,
  WAIT_BUCKETS,
} from '../../lock/counters.ts';
import { createLockState } from '../../lock/global-lock.ts';
import { serverTickNs, spinnerTickNs } from '../../lock/interpreter.ts';
import { loadPolicy } from '../../lock/load-policy.ts';
import { VirtualLock, VirtualLockState } from '../../lock/machines/virtual-time/lock.ts';
import { type Cold, Machine } from '../../lock/machines/virtual-time/machine.ts';
import { Offers } from '../../lock/machines/virtual-time/offers.ts';
import { SimulationError } from '../../lock/machines/virtual-time/simulation-error.ts';
import { STATE, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import { leavesDone } from '../../lock/machines/virtual-time/work.ts';
import type { Policy } from '../../lock/policy.ts';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { Recorder } from '../../lock/recorder.ts';
import { Recording } from '../../lock/recording.ts';
import { retimed, type ThreadTimeline, type Timeline } from '../../lock/timeline.ts';
import type { Socket } from '../../net/posix.ts';
import { CALL_NAMES, type MessageSocket, type ServerTask } from '../../server/calls.ts';
import type { EchoServer } from '../../server/echo-server.ts';
import { newPeer } from '../../server/peer.ts';
import type { ServerReading } from '../../server/protocol.ts';
import { loadServer } from '../../server/servers.ts';
import { splitRoundTrips } from '../measure/split.ts';
import type { MeasuredRound, Round, Scenario, Workload } from '../result/result.ts';
import { framedExchange, multiprocessingExchange, runClient, type Trips, zeromqExchange } from './client.ts';
import { drive, type SimulatedServerThread } from './drive.ts';
import { Kernel } from './kernel.ts';
import { SimulatedZmqSocket } from './libzmq.ts';
import type { Profile } from './profile.ts';
import { Random, valueAt } from './random.ts';
import { LinuxScheduler } from './scheduler.ts';
import { LEAVES_PER_ROUND, spin } from './spinner.ts';

/** Everything a cell's simulation follows from: plain data, it crosses threads. */
export interface CellSetup {
  readonly server: string;
  readonly policy: PolicySpec;
  readonly scenario: Scenario;
  readonly cpus: number;
  readonly spinners: number;
  readonly workload: Workload;
  readonly profile: Profile;
  readonly seed: number;
  readonly round: number;
  /** Whether the threads of the server's process record what they do. */
  readonly records: boolean;
}

/** What a simulation took, for those who want to know how its cost grows. */
export interface Effort {
  readonly events: number;
  readonly steps: number;
}

/** How long CPU threads run before, and while, what they get alone is measured. */
const SPINNER_WARMUP_NS = 20_000_000;
const SPINNER_SOLO_NS = 100_000_000;
/** A run may take so many budgets when one message outlasts the first. */
const MAX_BUDGETS = 3;
/** Longer than any policy lets a thread sleep without waking it, be it in vain. */
const FORGOTTEN_NS = 10e9;
type Phase = 'warming up' | 'settling' | 'running';

/** For connecting and warming up; a server that takes longer does not work. */
const WARMUP_LIMIT_NS = 3_600e9;

/**
 * @param pulse events and steps so far, for whoever watches; two doubles
 * @returns the round; a policy that fails is a result too
 */
export async function simulateCell(setup: CellSetup, pulse?: Float64Array): Promise<{ round: Round; effort: Effort }> {
  const world = new World(setup, await loadPolicy(setup.policy), await loadServer(setup.server), pulse);
  try {
    const measured = world.measure();
    return { round: { ...measured, round: setup.round }, effort: world.effort() };
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error;
    return { round: { state: 'failed', round: setup.round, message: error.message }, effort: world.effort() };
  }
}

/** What a profile says of long sleeps, as the machine asks for it. */
function coldOf(cold: Profile['lock']['cold'], random: Random): Cold | undefined {
  if (cold === undefined) return undefined;
  const { afterNs, extraNs } = cold;
  return { afterNs, share: () => random.uniform(), extraNs: (doing, share) => valueAt(extraNs[doing], share) };
}

/** One process that has a global lock. */
interface Process {
  readonly state: VirtualLockState;
  readonly counters: SharedArrayBuffer;
  readonly spinnerBytes: Uint8Array;
  /** All of its threads, for CPU time. */
  readonly threads: VirtualThread[];
  readonly serverNumbers: number[];
  /** CPU threads, by their number under the lock. */
  readonly spinners: Map<number, VirtualThread>;
  readonly recording: Recording | null;
  nextNumber: number;
}

interface Snapshot {
  readonly atNs: number;
  readonly cpuNs: number;
  readonly server: Counts;
  readonly spinners: Counts;
  readonly waits: readonly number[];
}

class World {
  readonly #setup: CellSetup;
  readonly #policy: Policy;
  readonly #server: EchoServer;
  readonly #machine: Machine;
  readonly #scheduler: LinuxScheduler;
  readonly #kernel: Kernel;
  readonly #process: Process;
  readonly #logs: number[][] = [];
  readonly #connectionErrors: string[] = [];
  readonly #trips: Trips = { startedAtNs: 0, durationNs: 0, ended: 'complete', sentNs: [], rttNs: [] };

  constructor(setup: CellSetup, policy: Policy, server: EchoServer, pulse?: Float64Array) {
    const { profile, seed, round, cpus } = setup;
    this.#setup = setup;
    this.#policy = policy;
    this.#server = server;
    const name = `${setup.policy.label}/${setup.server} ${setup.scenario} ${cpus} ${setup.spinners} ${round}`;
    const random = new Random(seed, name);
    const { pauseOvershootNs, timeoutOvershootNs } = profile.timers;
    const timerOvershootNs = (kind: number) => random.draw(kind === 0 ? timeoutOvershootNs : pauseOvershootNs);
    this.#machine = new Machine({ ...profile.lock, cold: coldOf(profile.lock.cold, random), timerOvershootNs }, pulse);
    this.#scheduler = new LinuxScheduler(this.#machine, cpus, profile.scheduler, random);
    this.#machine.scheduler = this.#scheduler;
    this.#kernel = new Kernel(this.#machine, profile.sockets);
    this.#process = this.#makeProcess(setup.records);
  }

  measure(): Omit<MeasuredRound, 'round'> {
    const { scenario, spinners, workload } = this.#setup;
    const client = this.#startServerAndClient();
    this.#runUntil(WARMUP_LIMIT_NS, 'warming up');

    const spinning =
      scenario === 'unloaded' ? null : scenario === 'offloaded' ? this.#makeProcess(false) : this.#process;
    let solo: number | null = null;
    if (spinning !== null && spinners > 0) solo = this.#startSpinners(spinning);

    const go = (what: Phase) => {
      const begun = this.#snapshot(this.#process);
      this.#process.recording?.begin();
      const begunSpinning = spinning === null ? null : this.#snapshot(spinning);
      this.#machine.wake(client, 0, null);
      const ended = this.#runUntil(begun.atNs + MAX_BUDGETS * workload.budgetNs, what);
      return { begun, begunSpinning, ended };
    };
    const settling = go('settling');
    // A message that outlasts all patience would not be counted in the run either.
    const { begun, begunSpinning } = settling.ended ? go('running') : settling;
    const reading = readingOf(begun, this.#snapshot(this.#process));
    const spun =
      begunSpinning === null || spinning === null ? null : readingOf(begunSpinning, this.#snapshot(spinning));
    return {
      state: 'measured',
      ...this.#samples(begun.atNs),
      durationNs: this.#trips.durationNs,
      ended: this.#trips.rttNs.length < workload.messages ? 'budget' : 'complete',
      reading,
      spinnerRoundsPerSecond: solo === null || spun === null ? null : spun.spinners.rounds / (spun.durationNs / 1e9),
      soloRoundsPerSecond: solo,
      connectionErrors: this.#connectionErrors,
      ...this.#timeline(),
    };
  }

  effort(): Effort {
    return { events: this.#machine.eventCount, steps: this.#machine.steps };
  }

  /** Lets time pass until the client stops it, and says whether it did. A run that lasts too long is over; one that is stuck has failed. */
  #runUntil(untilNs: number, what: Phase): boolean {
    const why = this.#machine.run(untilNs);
    if (why === 'stopped') return true;
    const { threads, nowNs } = this.#machine;
    // Who starves is woken again and again; who is not woken for so long was forgotten.
    const longNs = Math.max(FORGOTTEN_NS, this.#setup.workload.budgetNs);
    const forgotten = threads.find(({ sleepsOn, asleepSinceNs }) => sleepsOn >= 0 && nowNs - asleepSinceNs > longNs);
    if (why === 'time' && what !== 'warming up' && forgotten === undefined) return false;
    const told = threads
      .filter(({ lock }) => lock !== null)
      .slice(0, 6)
      .map((thread) => `${thread.name} ${stateOf(thread)}`);
    const how = why === 'stuck' ? 'nothing can happen any more' : 'no end is in sight';
    throw new SimulationError(
      `policy «${this.#setup.policy.label}»: ${how} while ${what}, after ${this.effort().steps} steps: ${told.join('; ')}`,
    );
  }

  #makeProcess(records: boolean): Process {
    const { policy } = this.#setup;
    const buffers = createLockState(this.#policy);
    const leafNs = Math.max(1, Math.round(this.#setup.profile.leafNs));
    return {
      state: new VirtualLockState(this.#policy, policy.options, policy.label, buffers, leafNs),
      counters: buffers.counters,
      spinnerBytes: new Uint8Array(buffers.spinners),
      threads: [],
      serverNumbers: [],
      spinners: new Map(),
      recording: records ? new Recording(CALL_NAMES, this.#policy.exclusive) : null,
      nextNumber: 1,
    };
  }

  #startServerAndClient(): VirtualThread {
    const { workload, profile } = this.#setup;
    const server = this.#server;
    // Simulated peers are never late.
    const limits = { maxMessageBytes: workload.maxMessageBytes, peerTimeoutNs: Infinity };
    const trips = this.#trips;
    const { messages, warmupMessages, delayNs, budgetNs, payloadBytes } = workload;
    const machine = this.#machine;
    const client = { machine, profile, messages, warmupMessages, delayNs, budgetNs, trips };

    if (server.transport === 'zmtp') {
      const router = new SimulatedZmqSocket(machine, profile, 'router');
      const req = new SimulatedZmqSocket(machine, profile, 'req');
      const task = server.waits === 'blocking' ? server.echo(0) : server.echo(NO_MESSAGE_SOCKET);
      this.#startServerThread('server', task as ServerTask, router);
      this.#process.threads.push(machine.start('I/O thread of the server', (thread) => router.io(thread)));
      machine.start('I/O thread of the client', (thread) => req.io(thread));
      return machine.start('client', (thread) => runClient(thread, client, zeromqExchange(req, router, payloadBytes)));
    }

    const listener = this.#kernel.sockets.listen();
    const serve = server.concurrency === 'threads' ? server.connection.bind(server) : null;
    this.#startServerThread('main thread of the server', server.main(listener, limits), null, (socket) => {
      if (serve !== null) this.#startServerThread('server', serve(newPeer(socket, limits.peerTimeoutNs), limits), null);
    });
    const exchange =
      server.transport === 'framed'
        ? framedExchange(this.#kernel, listener, payloadBytes)
        : multiprocessingExchange(this.#kernel, listener, payloadBytes, profile.client.encodeNs);
    return machine.start('client', (thread) => runClient(thread, client, exchange));
  }

  #startServerThread(
    name: string,
    task: ServerTask,
    router: SimulatedZmqSocket | null,
    startThread: (socket: Socket) => void = () => {},
  ): void {
    const { workload, policy, profile } = this.#setup;
    const process = this.#process;
    const number = process.nextNumber++;
    const recorder = this.#recorder(process, number, 'server');
    const log: number[] = [];
    this.#logs.push(log);
    process.serverNumbers.push(number);
    const machine = this.#machine;
    const kernel = this.#kernel;
    const workPerCallNs = policy.interpreterCostNs ?? workload.interpreterCostNs;
    const noteConnectionError = (error: string) => this.#connectionErrors.push(error);
    const thread = machine.start(`${name} (thread ${number})`, (self) => {
      const server: SimulatedServerThread = {
        kernel,
        // A recording has each offer of a server's thread.
        lock: this.#makeLock(
          process,
          number,
          self,
          serverTickNs(policy, workPerCallNs, profile.leafNs),
          recorder,
          recorder === null,
        ),
        workPerCallNs,
        keepsLockOnNonblocking: policy.keepLockOn === 'nonblocking',
        router,
        eventLoopNs: profile.zeromq.eventLoopNs,
        log,
        startThread,
        noteConnectionError,
      };
      return drive(task, self, server);
    });
    process.threads.push(thread);
  }

  /** @param skips whether offers that nobody takes are counted instead of made, under a policy of which that is known to be the same */
  #makeLock(
    { state }: Process,
    number: number,
    thread: VirtualThread,
    tickNs: number,
    recorder: Recorder | null,
    skips: boolean,
  ): VirtualLock {
    const lock = new VirtualLock(state, number, thread, this.#machine, tickNs, recorder);
    if (skips && lock.everyTicks > 0 && this.#setup.policy.from.kind === 'built-in') {
      lock.offers = new Offers(this.#machine, lock, thread);
    }
    return lock;
  }

  /** Starts the CPU threads. Returns how many rounds a second they do while the server is idle. */
  #startSpinners(process: Process): number {
    const { spinners, workload, policy } = this.#setup;
    const machine = this.#machine;
    const counters = new Float64Array(process.counters);
    for (let i = 0; i < spinners; i++) {
      const number = process.nextNumber++;
      const recorder = this.#recorder(process, number, 'spinner');
      process.spinnerBytes[number] = 1;
      const thread = machine.start(`CPU thread (thread ${number})`, (self) =>
        spin(
          self,
          {
            lock: this.#makeLock(
              process,
              number,
              self,
              spinnerTickNs(policy, this.#setup.profile.leafNs),
              recorder,
              true,
            ),
            kind: workload.spinnerKind,
            priority: policy.spinnerPriority,
          },
          () => {
            (counters[number * DOUBLES_PER_THREAD + COUNTER.rounds] as number)++;
          },
        ),
      );
      process.threads.push(thread);
      process.spinners.set(number, thread);
    }
    machine.run(machine.nowNs + SPINNER_WARMUP_NS);
    const before = this.#snapshot(process);
    machine.run(machine.nowNs + SPINNER_SOLO_NS);
    const { spinners: counts, durationNs } = readingOf(before, this.#snapshot(process));
    return counts.rounds / (durationNs / 1e9);
  }

  #recorder({ recording }: Process, number: number, role: ThreadTimeline['role']): Recorder | null {
    return recording === null ? null : new Recorder(recording.add(number, role), () => this.#machine.nowNs);
  }

  /** Of the run, counted from its start. */
  #timeline(): { timeline?: Timeline } {
    const { recording } = this.#process;
    if (recording === null) return {};
    const { startedAtNs, durationNs } = this.#trips;
    const timeline = recording.read(startedAtNs, startedAtNs + durationNs);
    return { timeline: retimed(timeline, (ns) => ns - startedAtNs) };
  }

  #snapshot(process: Process): Snapshot {
    const counters = new Float64Array(process.counters);
    const read = (number: number) => readCounts(counters, number);
    const waits = new Array<number>(WAIT_BUCKETS).fill(0);
    for (const number of process.serverNumbers) {
      for (const [bucket, count] of readWaits(counters, number).entries()) waits[bucket] = (waits[bucket] ?? 0) + count;
    }
    return {
      atNs: this.#machine.nowNs,
      cpuNs: process.threads.reduce((sum, thread) => sum + this.#scheduler.cpuNsOf(thread), 0),
      server: addCounts(process.serverNumbers.map(read)),
      spinners: addCounts([...process.spinners].map(([number, thread]) => this.#spinnerCounts(read(number), thread))),
      waits,
    };
  }

  #spinnerCounts(counts: Counts, thread: VirtualThread): Counts {
    if (this.#setup.workload.spinnerKind !== 'fib') return counts;
    return { ...counts, rounds: Math.floor(leavesDone(this.#machine, thread) / LEAVES_PER_ROUND) };
  }

  #samples(sinceNs: number): Pick<MeasuredRound, 'sentNs' | 'rttNs' | 'lockWaitNs' | 'workNs'> {
    const { startedAtNs, sentNs, rttNs } = this.#trips;
    const busiest = this.#logs.reduce((most, log) => (log.length > most.length ? log : most), []);
    // Calls that had ended before.
    let first = 0;
    while (first < busiest.length && (busiest[first + 2] as number) < sinceNs) first += 3;
    const { lockWaitNs, workNs } = splitRoundTrips(
      sentNs.map((ns) => startedAtNs + ns),
      rttNs,
      Float64Array.from(busiest.slice(first)),
    );
    return { sentNs, rttNs, lockWaitNs, workNs };
  }
}

/** Stands for the router in the task of a ZeroMQ server. The simulator knows which one is meant: there is one. */
const NO_MESSAGE_SOCKET: MessageSocket = {
  closed: false,
  receive: notInSimulatedTime,
  send: notInSimulatedTime,
  goTheWay: notInSimulatedTime,
};

function notInSimulatedTime(): never {
  throw new Error('not in simulated time');
}

function readingOf(from: Snapshot, to: Snapshot): ServerReading {
  return {
    durationNs: to.atNs - from.atNs,
    cpuNs: to.cpuNs - from.cpuNs,
    server: countsSince(from.server, to.server),
    spinners: countsSince(from.spinners, to.spinners),
    waits: to.waits.map((count, bucket) => count - (from.waits[bucket] ?? 0)),
  };
}

function stateOf(thread: VirtualThread): string {
  if (thread.state !== STATE.sleeping) return `runs (${thread.stepsMade} steps)`;
  return thread.sleepsOn >= 0
    ? `waits for word ${thread.sleepsOn / 32} (${thread.stepsMade} steps)`
    : `is in a call (${thread.stepsMade} steps)`;
}
