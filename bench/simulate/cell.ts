/**
 * Simulates one cell once: the real servers and policies in a world of simulated CPUs, threads and sockets, with the phases of
 * `bench/measure/measure.ts` (start, warm up, start the CPU threads, measure them alone, run), and the same round as the result.
 */
import { loadPolicy } from '../../lock/load-policy.ts';
import { type Cold, type Contention, type Costs, Machine } from '../../lock/machines/virtual-time/machine.ts';
import { SimulationError } from '../../lock/machines/virtual-time/simulation-error.ts';
import { STATE, type VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Policy } from '../../lock/policy.ts';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { retimed, type Timeline } from '../../lock/timeline.ts';
import type { MessageSocket, ServerTask } from '../../server/calls.ts';
import type { EchoServer } from '../../server/echo-server.ts';
import { newPeer } from '../../server/peer.ts';
import { loadServer } from '../../server/servers.ts';
import { splitRoundTrips } from '../measure/split.ts';
import type { MeasuredRound, Round, Scenario, Workload } from '../result/result.ts';
import { framedExchange, multiprocessingExchange, runClient, type Trips, zeromqExchange } from './client.ts';
import { Kernel } from './kernel.ts';
import { SimulatedZmqSocket } from './libzmq.ts';
import { readingOf, SimulatedProcess } from './process.ts';
import type { Profile } from './profile.ts';
import { Random, valueAt } from './random.ts';
import { LinuxScheduler } from './scheduler.ts';

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

/**
 * What a profile says, as the machine asks for it. Name by name: spread, they would be an object of another shape for each cell, and the
 * engine would compile the machine anew.
 */
function costsOf({ lock, timers }: Profile, random: Random): Costs {
  const { pauseOvershootNs, timeoutOvershootNs } = timers;
  return {
    atomicNs: lock.atomicNs,
    lineNs: lock.lineNs,
    offerNs: lock.offerNs,
    futexCallNs: lock.futexCallNs,
    futexWakeNs: lock.futexWakeNs,
    futexWaitNs: lock.futexWaitNs,
    contention: contentionOf(lock.contention, random),
    cold: coldOf(lock.cold, random),
    timerOvershootNs: (kind) => random.draw(kind === 0 ? timeoutOvershootNs : pauseOvershootNs),
  };
}

/** What it says of calls that meet. */
function contentionOf(contention: Profile['lock']['contention'], random: Random): Contention | undefined {
  if (contention === undefined) return undefined;
  const { waitNs, looksAfter, heldUpNs } = contention;
  return { waitNs: () => random.draw(waitNs), looksAfter, heldUpNs: () => random.draw(heldUpNs) };
}

/** What it says of long sleeps. */
function coldOf(cold: Profile['lock']['cold'], random: Random): Cold | undefined {
  if (cold === undefined) return undefined;
  const { afterNs, extraNs } = cold;
  return { afterNs, share: () => random.uniform(), extraNs: (doing, share) => valueAt(extraNs[doing], share) };
}

class World {
  readonly #setup: CellSetup;
  readonly #policy: Policy;
  readonly #server: EchoServer;
  readonly #machine: Machine;
  readonly #scheduler: LinuxScheduler;
  readonly #kernel: Kernel;
  readonly #process: SimulatedProcess;
  readonly #trips: Trips = { startedAtNs: 0, durationNs: 0, ended: 'complete', sentNs: [], rttNs: [] };

  constructor(setup: CellSetup, policy: Policy, server: EchoServer, pulse?: Float64Array) {
    const { profile, seed, round, cpus } = setup;
    this.#setup = setup;
    this.#policy = policy;
    this.#server = server;
    const name = `${setup.policy.label}/${setup.server} ${setup.scenario} ${cpus} ${setup.spinners} ${round}`;
    const random = new Random(seed, name);
    this.#machine = new Machine(costsOf(profile, random), pulse);
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
      const begun = this.#process.snapshot();
      this.#process.recording?.begin();
      const begunSpinning = spinning?.snapshot() ?? null;
      this.#machine.wake(client, 0, null);
      const ended = this.#runUntil(begun.atNs + MAX_BUDGETS * workload.budgetNs, what);
      return { begun, begunSpinning, ended };
    };
    const settling = go('settling');
    // A message that outlasts all patience would not be counted in the run either.
    const { begun, begunSpinning } = settling.ended ? go('running') : settling;
    const reading = readingOf(begun, this.#process.snapshot());
    const spun = begunSpinning === null || spinning === null ? null : readingOf(begunSpinning, spinning.snapshot());
    return {
      state: 'measured',
      ...this.#samples(begun.atNs),
      durationNs: this.#trips.durationNs,
      ended: this.#trips.rttNs.length < workload.messages ? 'budget' : 'complete',
      reading,
      spinnerRoundsPerSecond: solo === null || spun === null ? null : spun.spinners.rounds / (spun.durationNs / 1e9),
      soloRoundsPerSecond: solo,
      connectionErrors: this.#process.connectionErrors,
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

  #makeProcess(records: boolean): SimulatedProcess {
    const on = { machine: this.#machine, scheduler: this.#scheduler, kernel: this.#kernel };
    return new SimulatedProcess(on, this.#policy, this.#setup, records);
  }

  #startServerAndClient(): VirtualThread {
    const { workload, profile } = this.#setup;
    const server = this.#server;
    // Simulated peers are never late.
    const limits = { maxMessageBytes: workload.maxMessageBytes, peerTimeoutNs: Infinity };
    const trips = this.#trips;
    const { messages, warmupMessages, delayNs, budgetNs, payloadBytes } = workload;
    const machine = this.#machine;
    const process = this.#process;
    const client = { machine, profile, messages, warmupMessages, delayNs, budgetNs, trips };

    if (server.transport === 'zmtp') {
      const router = new SimulatedZmqSocket(machine, profile, 'router');
      const req = new SimulatedZmqSocket(machine, profile, 'req');
      const task = server.waits === 'blocking' ? server.echo(0) : server.echo(NO_MESSAGE_SOCKET);
      process.startServerThread('server', task as ServerTask, router);
      process.adopt(machine.start('I/O thread of the server', (thread) => router.io(thread)));
      machine.start('I/O thread of the client', (thread) => req.io(thread));
      return machine.start('client', (thread) => runClient(thread, client, zeromqExchange(req, router, payloadBytes)));
    }

    const listener = this.#kernel.sockets.listen();
    const serve = server.concurrency === 'threads' ? server.connection.bind(server) : null;
    process.startServerThread('main thread of the server', server.main(listener, limits), null, (socket) => {
      if (serve !== null)
        process.startServerThread('server', serve(newPeer(socket, limits.peerTimeoutNs), limits), null);
    });
    const exchange =
      server.transport === 'framed'
        ? framedExchange(this.#kernel, listener, payloadBytes)
        : multiprocessingExchange(this.#kernel, listener, payloadBytes, profile.client.encodeNs);
    return machine.start('client', (thread) => runClient(thread, client, exchange));
  }

  /** Starts the CPU threads. Returns how many rounds a second they do while the server is idle. */
  #startSpinners(process: SimulatedProcess): number {
    const machine = this.#machine;
    process.startSpinners(this.#setup.spinners);
    machine.run(machine.nowNs + SPINNER_WARMUP_NS);
    const before = process.snapshot();
    machine.run(machine.nowNs + SPINNER_SOLO_NS);
    const { spinners, durationNs } = readingOf(before, process.snapshot());
    return spinners.rounds / (durationNs / 1e9);
  }

  /** Of the run, counted from its start. */
  #timeline(): { timeline?: Timeline } {
    const { recording } = this.#process;
    if (recording === null) return {};
    const { startedAtNs, durationNs } = this.#trips;
    const timeline = recording.read(startedAtNs, startedAtNs + durationNs);
    return { timeline: retimed(timeline, (ns) => ns - startedAtNs) };
  }

  #samples(sinceNs: number): Pick<MeasuredRound, 'sentNs' | 'rttNs' | 'lockWaitNs' | 'workNs'> {
    const { startedAtNs, sentNs, rttNs } = this.#trips;
    const busiest = this.#process.logs.reduce((most, log) => (log.length > most.length ? log : most), []);
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

function stateOf(thread: VirtualThread): string {
  if (thread.state !== STATE.sleeping) return `runs (${thread.stepsMade} steps)`;
  return thread.sleepsOn >= 0
    ? `waits for word ${thread.sleepsOn / 32} (${thread.stepsMade} steps)`
    : `is in a call (${thread.stepsMade} steps)`;
}
