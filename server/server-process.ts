/**
 * The threads of a server's process: started, given numbers under the lock, and ended by being told. A thread blocked in recv or accept
 * cannot be terminated (the thread, and then the whole process, would hang), so its socket is shut down and the thread returns.
 * This, the main thread, owns every descriptor and closes it only when the thread that used it is done: no descriptor is shut down
 * after its number went to another socket. The connections of a server of coroutines are never seen here: its thread owns them,
 * and closes them when the listener is shut down, which ends its poll. ZeroMQ's sockets belong to the thread that opened them,
 * which closes them when told to.
 *
 * When the lock is lost, because a policy threw or a thread died, this thread, which never takes the lock, tells all the others
 * (`lock/lost-lock.ts`), ends everything, and says why.
 */
import { Worker } from 'node:worker_threads';
import { createLockState, type LockState, MAX_THREADS } from '../lock/global-lock.ts';
import { serverTickNs, spinnerTickNs } from '../lock/interpreter.ts';
import { loseLock } from '../lock/lost-lock.ts';
import type { Policy } from '../lock/policy.ts';
import { Recording } from '../lock/recording.ts';
import type { ThreadSetup } from '../lock/thread-setup.ts';
import type { ThreadTimeline, Timeline } from '../lock/timeline.ts';
import { close, limitWaits, listen, portOf, reset, type Socket, shutdown } from '../net/posix.ts';
import { createCallLog, readCallLog } from './call-log.ts';
import { CALL_NAMES } from './calls.ts';
import { CpuThreads } from './cpu-threads.ts';
import type { EchoServer, ZeromqServer } from './echo-server.ts';
import { guardMemory } from './memory-guard.ts';
import type { ServerReading, ServerSetup, SpinSetup } from './protocol.ts';
import { Reader } from './reader.ts';
import { loadServer } from './servers.ts';
import type { ServerThreadData, ServerThreadMessage, ServerThreadTask } from './thread-messages.ts';

const SERVER_THREAD = new URL('../workers/server-thread.js', import.meta.url);

/** How often a blocking call looks, while its peer lets it wait, whether the peer's time is over. */
const LOOKS_PER_TIMEOUT = 4;
/** Threads kept for connections to come: to start one takes longer than many a connection lasts. */
const MAX_IDLE_THREADS = 16;
/** For threads that are told that the lock is lost to end by themselves. */
const LOST_LOCK_PATIENCE_MS = 1_000;
/** How many reasons for the end of connections are kept. */
const MAX_CONNECTION_ERRORS = 20;

/** A thread that waits for its next connection, or runs one. */
interface PooledThread {
  readonly worker: Worker;
  readonly number: number;
}

export class ServerProcess {
  readonly #setup: ServerSetup;
  readonly #state: LockState;
  /** Tells the main thread to end. */
  #stopAccepting = () => {};
  #accepting: Promise<void> = Promise.resolve();
  /** Threads with nothing to do. */
  readonly #idle: PooledThread[] = [];
  /** Connections being served. */
  readonly #connections = new Map<Socket, Promise<void>>();
  readonly #serverThreads = new Set<number>();
  readonly #cpuThreads: CpuThreads;
  readonly #reader: Reader;
  readonly #freeNumbers = Array.from({ length: MAX_THREADS }, (_, i) => MAX_THREADS - i);
  /** By the number of the thread: one that ends leaves its log to the next of its number. */
  readonly #logs = new Map<number, SharedArrayBuffer>();
  readonly #recording: Recording | null;
  readonly #connectionErrors: string[] = [];
  #stopping = false;
  #stopped: Promise<string[]> | undefined;
  #lockLost = false;
  readonly #onLockLost: (why: string, ended: Promise<unknown>) => void;
  /** Threads that have not ended. */
  readonly #workers = new Set<Worker>();

  /**
   * @param policy the one that the setup names
   * @param onLockLost is told, once, why there is no lock any more, and when everything has ended because of it
   */
  constructor(setup: ServerSetup, policy: Policy, onLockLost: (why: string, ended: Promise<unknown>) => void) {
    this.#setup = setup;
    this.#state = createLockState(policy);
    this.#recording = setup.records ? new Recording(CALL_NAMES, policy.exclusive) : null;
    this.#cpuThreads = new CpuThreads(this.#state, (why) => this.#loseLock(why));
    this.#reader = new Reader(this.#state, { server: this.#serverThreads, spinners: this.#cpuThreads.numbers });
    this.#onLockLost = onLockLost;
  }

  /** Listens, and starts the threads that the first client needs. Returns the port. */
  async start(): Promise<number> {
    const server = await loadServer(this.#setup.server);
    return server.transport === 'zmtp' ? this.#open(server) : this.#listen(server);
  }

  /** Listens, and starts the main thread and, if it is to have one, that of the first connection. */
  async #listen({ concurrency }: Exclude<EchoServer, ZeromqServer>): Promise<number> {
    const listener = listen({ host: this.#setup.host, port: this.#setup.port });
    this.#stopAccepting = () => shutdown(listener);
    // In this order: a recording calls the first thread the server.
    const threads = concurrency === 'threads' ? [this.#startThread(), this.#startThread()] : [this.#startThread()];
    const [main, ...idle] = (await Promise.all(threads)) as [PooledThread, ...PooledThread[]];
    this.#idle.push(...idle);
    this.#accepting = this.#run(main, { kind: 'main', listener }).then((error) => {
      close(listener);
      this.#end(main);
      if (error !== null) this.#loseLock(`the server's main thread ended: ${error}`);
    });
    return portOf(listener);
  }

  /** Starts the one thread of a server that binds by itself. */
  async #open(server: ZeromqServer): Promise<number> {
    const { host, port } = this.#setup;
    const main = await this.#startThread();
    const listening = new Promise<{ port: number; handle: number | null }>((resolve) => {
      main.worker.on('message', (message: ServerThreadMessage) => {
        if (message.kind === 'listening') resolve(message);
      });
    });
    const over = this.#run(main, { kind: 'open', at: { host, port } }).then((error) => {
      this.#end(main);
      return error;
    });
    const opened = await Promise.race([listening, over]);
    if (opened === null || typeof opened === 'string') throw new Error(opened ?? 'the server ended before it listened');
    const unguard = guardMemory(opened.port, this.#setup.maxMessageBytes, (error) => this.#noteConnectionError(error));
    this.#stopAccepting = () => {
      unguard();
      // In this order: the context must not be closed before it has been shut down.
      if (opened.handle !== null) server.interrupt?.(opened.handle);
      main.worker.postMessage({ kind: 'close' } satisfies ServerThreadTask);
    };
    this.#accepting = over.then((error) => {
      if (error !== null) this.#loseLock(`the server's main thread ended: ${error}`);
    });
    return opened.port;
  }

  /** Starts CPU threads and lets them warm up. */
  spin(setup: SpinSetup): Promise<void> {
    return this.#cpuThreads.spin(setup, () => this.#threadSetup('spinner'));
  }

  /** How many rounds of work a second the CPU threads do together; to be asked while the server is idle. */
  solo(): Promise<number> {
    return this.#cpuThreads.solo();
  }

  /** Marks the start of what is measured. */
  begin(): void {
    this.#reader.begin();
    this.#recording?.begin();
  }

  /**
   * The calls of the thread that made most of them since {@link begin}: with one client, those of the thread that served it.
   * Released, returned, acquired of the first call, then of the second, and so on, on the machine's clock.
   */
  calls(): Float64Array<ArrayBuffer> {
    const sinceNs = this.#reader.begunNs;
    const logs = [...this.#logs.values()].map((log) =>
      readCallLog(log).filter(({ acquiredNs }) => acquiredNs >= sinceNs),
    );
    const busiest = logs.reduce((most, log) => (log.length > most.length ? log : most), []);
    return Float64Array.from(
      busiest.flatMap(({ releasedNs, returnedNs, acquiredNs }) => [releasedNs, returnedNs, acquiredNs]),
    );
  }

  /** What the threads did since {@link begin}, on the machine's clock; null if that is not recorded. */
  timelineOfRun(): Timeline | null {
    return this.#recording === null ? null : this.timeline(this.#reader.begunNs);
  }

  /**
   * What they did since a time on the machine's clock.
   *
   * @throws Error if nothing is recorded
   */
  timeline(sinceNs: number): Timeline {
    if (this.#recording === null) throw new Error('the server was not told to record its threads');
    return this.#recording.read(sinceNs, Number(process.hrtime.bigint()));
  }

  /** What happened since {@link begin}. */
  end(): ServerReading {
    return this.#reader.end();
  }

  /**
   * Ends everything.
   *
   * @returns why connections ended, where it was not by their client's good-bye
   */
  stop(): Promise<string[]> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<string[]> {
    this.#stopping = true;
    // First the spinners: a thread that waits for the lock they hold cannot see that its socket was shut down.
    await this.#cpuThreads.stop();
    this.#stopAccepting();
    await this.#accepting;
    for (const socket of this.#connections.keys()) shutdown(socket);
    await Promise.all(this.#connections.values());
    for (const thread of this.#idle.splice(0)) this.#end(thread);
    return this.#connectionErrors;
  }

  /**
   * Ends everything, since nobody can have the lock any more. Who waits for it is told. Who does not wait, and does not come back either,
   * is in an endless loop of its policy, and not in a call: that thread can be terminated.
   */
  #loseLock(why: string): void {
    if (this.#lockLost) return;
    this.#lockLost = true;
    const endWaking = loseLock(this.#state);
    const ended = this.stop();
    const impatience = setTimeout(() => {
      this.#cpuThreads.terminate();
      for (const worker of this.#workers) void worker.terminate();
    }, LOST_LOCK_PATIENCE_MS);
    const whole = ended.finally(() => {
      clearTimeout(impatience);
      endWaking();
    });
    this.#onLockLost(`policy «${this.#setup.policy.label}»: ${why}`, whole);
  }

  #threadSetup(role: ThreadTimeline['role']): ThreadSetup {
    const thread = this.#freeNumbers.pop();
    if (thread === undefined) throw new Error(`more than ${MAX_THREADS} threads`);
    const { policy, leafNs, workPerCallNs } = this.#setup;
    const tickNs = role === 'server' ? serverTickNs(policy, workPerCallNs, leafNs) : spinnerTickNs(policy, leafNs);
    return { policy, state: this.#state, thread, leafNs, tickNs, ring: this.#recording?.add(thread, role) ?? null };
  }

  /** Starts a thread and waits until it has loaded. */
  async #startThread(): Promise<PooledThread> {
    const setup = this.#threadSetup('server');
    this.#serverThreads.add(setup.thread);
    const { server, workPerCallNs, maxMessageBytes, loggedCalls } = this.#setup;
    const log = loggedCalls === 0 ? null : (this.#logs.get(setup.thread) ?? createCallLog(loggedCalls));
    if (log !== null) this.#logs.set(setup.thread, log);
    const data: ServerThreadData = {
      setup,
      server,
      workPerCallNs,
      log,
      limits: { maxMessageBytes, peerTimeoutNs: this.#peerTimeoutNs() },
    };
    const worker = new Worker(SERVER_THREAD, { workerData: data });
    this.#workers.add(worker);
    worker.once('exit', () => this.#workers.delete(worker));
    try {
      await new Promise<void>((resolve, reject) => {
        worker.once('error', reject);
        worker.once('message', () => resolve());
      });
    } catch (error) {
      this.#freeNumbers.push(setup.thread);
      throw error;
    }
    worker.removeAllListeners('error');
    return { worker, number: setup.thread };
  }

  /** Ends a thread that has nothing to do. */
  #end({ worker, number }: PooledThread): void {
    worker.postMessage({ kind: 'end' } satisfies ServerThreadTask);
    worker.once('exit', () => this.#freeNumbers.push(number));
  }

  /**
   * Runs a task in a thread. Resolves when it is over, with its error if it had one. A thread that ends itself is dead: it may have held
   * the lock.
   */
  #run({ worker, number }: PooledThread, task: ServerThreadTask): Promise<string | null> {
    return new Promise((resolve) => {
      const done = (error: string | null) => {
        worker.removeAllListeners('message').removeAllListeners('error').off('exit', onExit);
        resolve(error);
      };
      const dead = (how: string) => {
        this.#loseLock(`thread ${number} of the server ${how}`);
        done(how);
      };
      const onExit = (code: number) => dead(`ended with exit code ${code}`);
      worker.on('exit', onExit);
      worker.on('message', (message: ServerThreadMessage) => {
        if (message.kind === 'startThread') this.#connect(message.socket);
        else if (message.kind === 'connectionError') this.#noteConnectionError(message.error);
        else {
          if (message.kind === 'done' && message.lockLost) this.#loseLock(message.error ?? 'the lock is lost');
          if (message.kind === 'done') done(message.error);
        }
      });
      worker.on('error', (error) => dead(`failed: ${error}`));
      worker.postMessage(task);
    });
  }

  #connect(socket: Socket): void {
    limitWaits(socket, this.#peerTimeoutNs() / LOOKS_PER_TIMEOUT);
    const served = this.#serve(socket)
      .catch((error: unknown) => this.#noteConnectionError(String(error)))
      .then(() => {
        // A thread that was told to end may have emptied a full receive buffer after the shutdown, which does not open the window
        // again: a client in the midst of sending would wait until the kernel gives the connection up, a minute later.
        if (this.#stopping) reset(socket);
        else close(socket);
        this.#connections.delete(socket);
      });
    this.#connections.set(socket, served);
    if (this.#stopping) shutdown(socket);
  }

  async #serve(socket: Socket): Promise<void> {
    const thread = this.#idle.pop() ?? (await this.#startThread());
    const error = await this.#run(thread, { kind: 'connection', socket });
    if (error !== null) this.#noteConnectionError(error);
    // The client must not wait for an answer that will not come.
    shutdown(socket);
    if (this.#idle.length < MAX_IDLE_THREADS && !this.#stopping) this.#idle.push(thread);
    else this.#end(thread);
  }

  #peerTimeoutNs(): number {
    return this.#setup.peerTimeoutNs ?? Infinity;
  }

  #noteConnectionError(error: string): void {
    if (this.#connectionErrors.length < MAX_CONNECTION_ERRORS) this.#connectionErrors.push(error);
  }
}
