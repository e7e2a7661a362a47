/** A simulated process that has a global lock: its threads, what they do with it, and what they count. */
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
import { VirtualLock, VirtualLockState } from '../../lock/machines/virtual-time/lock.ts';
import type { Machine } from '../../lock/machines/virtual-time/machine.ts';
import { Offers } from '../../lock/machines/virtual-time/offers.ts';
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import { leavesDone } from '../../lock/machines/virtual-time/work.ts';
import type { Policy } from '../../lock/policy.ts';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { Recorder } from '../../lock/recorder.ts';
import { Recording } from '../../lock/recording.ts';
import type { ThreadTimeline } from '../../lock/timeline.ts';
import type { Socket } from '../../net/posix.ts';
import { CALL_NAMES, type ServerTask } from '../../server/calls.ts';
import type { ServerReading } from '../../server/protocol.ts';
import type { Workload } from '../result/result.ts';
import { drive } from './drive.ts';
import type { Kernel } from './kernel.ts';
import type { SimulatedZmqSocket } from './libzmq.ts';
import type { Profile } from './profile.ts';
import type { LinuxScheduler } from './scheduler.ts';
import { LEAVES_PER_ROUND, spin } from './spinner.ts';

/** What it runs on. */
interface Surroundings {
  readonly machine: Machine;
  readonly scheduler: LinuxScheduler;
  readonly kernel: Kernel;
}

/** What its threads are told. */
interface ProcessSetup {
  readonly policy: PolicySpec;
  readonly workload: Workload;
  readonly profile: Profile;
}

/** What was counted up to a moment. */
export interface Snapshot {
  readonly atNs: number;
  readonly cpuNs: number;
  readonly server: Counts;
  readonly spinners: Counts;
  readonly waits: readonly number[];
}

export class SimulatedProcess {
  /** Of each thread of the server: released, returned, acquired of its calls, ns. */
  readonly logs: number[][] = [];
  readonly connectionErrors: string[] = [];
  readonly recording: Recording | null;
  readonly #machine: Machine;
  readonly #scheduler: LinuxScheduler;
  readonly #kernel: Kernel;
  readonly #setup: ProcessSetup;
  readonly #state: VirtualLockState;
  readonly #counters: Float64Array;
  readonly #spinnerBytes: Uint8Array;
  /** All of them, for CPU time. */
  readonly #threads: VirtualThread[] = [];
  readonly #serverNumbers: number[] = [];
  /** CPU threads, by their number under the lock. */
  readonly #spinners = new Map<number, VirtualThread>();
  #nextNumber = 1;

  /** @param records whether its threads record what they do */
  constructor({ machine, scheduler, kernel }: Surroundings, policy: Policy, setup: ProcessSetup, records: boolean) {
    this.#machine = machine;
    this.#scheduler = scheduler;
    this.#kernel = kernel;
    this.#setup = setup;
    const buffers = createLockState(policy);
    const leafNs = Math.max(1, Math.round(setup.profile.leafNs));
    const { options, label } = setup.policy;
    this.#state = new VirtualLockState(policy, options, label, buffers, leafNs);
    this.#counters = new Float64Array(buffers.counters);
    this.#spinnerBytes = new Uint8Array(buffers.spinners);
    this.recording = records ? new Recording(CALL_NAMES, policy.exclusive) : null;
  }

  /**
   * Starts a thread of the server.
   *
   * @param router whose messages it receives and sends; null if it makes system calls
   * @param startThread what the server's wish for a thread does
   */
  startServerThread(
    name: string,
    task: ServerTask,
    router: SimulatedZmqSocket | null,
    startThread: (socket: Socket) => void = () => {},
  ): void {
    const { workload, policy, profile } = this.#setup;
    const number = this.#nextNumber++;
    const recorder = this.#recorder(number, 'server');
    const log: number[] = [];
    this.logs.push(log);
    this.#serverNumbers.push(number);
    const workPerCallNs = policy.interpreterCostNs ?? workload.interpreterCostNs;
    const tickNs = serverTickNs(policy, workPerCallNs, profile.leafNs);
    const thread = this.#machine.start(`${name} (thread ${number})`, (self) =>
      drive(task, self, {
        kernel: this.#kernel,
        // A recording has each offer of a server's thread.
        lock: this.#makeLock(number, self, tickNs, recorder, recorder === null),
        workPerCallNs,
        keepsLockOnNonblocking: policy.keepLockOn === 'nonblocking',
        router,
        zeromq: profile.zeromq,
        log,
        startThread,
        noteConnectionError: (error) => this.connectionErrors.push(error),
      }),
    );
    this.#threads.push(thread);
  }

  /** Counts the CPU time of a thread that knows nothing of the lock among that of the process. */
  adopt(thread: VirtualThread): void {
    this.#threads.push(thread);
  }

  /** Starts so many CPU threads. */
  startSpinners(count: number): void {
    const { workload, policy, profile } = this.#setup;
    const counters = this.#counters;
    for (let i = 0; i < count; i++) {
      const number = this.#nextNumber++;
      const recorder = this.#recorder(number, 'spinner');
      this.#spinnerBytes[number] = 1;
      const tickNs = spinnerTickNs(policy, profile.leafNs);
      const thread = this.#machine.start(`CPU thread (thread ${number})`, (self) => {
        const lock = this.#makeLock(number, self, tickNs, recorder, true);
        return spin(self, { lock, kind: workload.spinnerKind, priority: policy.spinnerPriority }, () => {
          (counters[number * DOUBLES_PER_THREAD + COUNTER.rounds] as number)++;
        });
      });
      this.#threads.push(thread);
      this.#spinners.set(number, thread);
    }
  }

  snapshot(): Snapshot {
    const read = (number: number) => readCounts(this.#counters, number);
    const waits = new Array<number>(WAIT_BUCKETS).fill(0);
    for (const number of this.#serverNumbers) {
      for (const [bucket, count] of readWaits(this.#counters, number).entries())
        waits[bucket] = (waits[bucket] ?? 0) + count;
    }
    return {
      atNs: this.#machine.nowNs,
      cpuNs: this.#threads.reduce((sum, thread) => sum + this.#scheduler.cpuNsOf(thread), 0),
      server: addCounts(this.#serverNumbers.map(read)),
      spinners: addCounts([...this.#spinners].map(([number, thread]) => this.#spinnerCounts(read(number), thread))),
      waits,
    };
  }

  #spinnerCounts(counts: Counts, thread: VirtualThread): Counts {
    if (this.#setup.workload.spinnerKind !== 'fib') return counts;
    return { ...counts, rounds: Math.floor(leavesDone(this.#machine, thread) / LEAVES_PER_ROUND) };
  }

  /** @param skips whether offers that nobody takes are counted instead of made, under a policy of which that is known to be the same */
  #makeLock(
    number: number,
    thread: VirtualThread,
    tickNs: number,
    recorder: Recorder | null,
    skips: boolean,
  ): VirtualLock {
    const lock = new VirtualLock(this.#state, number, thread, this.#machine, tickNs, recorder);
    if (skips && lock.everyTicks > 0 && this.#setup.policy.from.kind === 'built-in') {
      lock.offers = new Offers(this.#machine, lock, thread);
    }
    return lock;
  }

  #recorder(number: number, role: ThreadTimeline['role']): Recorder | null {
    return this.recording === null ? null : new Recorder(this.recording.add(number, role), () => this.#machine.nowNs);
  }
}

/** What was counted from one moment to another, as a server's process says it. */
export function readingOf(from: Snapshot, to: Snapshot): ServerReading {
  return {
    durationNs: to.atNs - from.atNs,
    cpuNs: to.cpuNs - from.cpuNs,
    server: countsSince(from.server, to.server),
    spinners: countsSince(from.spinners, to.spinners),
    waits: to.waits.map((count, bucket) => count - (from.waits[bucket] ?? 0)),
  };
}
