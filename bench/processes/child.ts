/** A process the bench has started: commands to it, and its end. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AnswerOf, Commands, RequestOf } from '../../net/commands.ts';
import { placeProcess } from './affinity.ts';
import { type Call, Caller, ChildError } from './caller.ts';
import { parseCpuList } from './cpu-list.ts';

/** How a process is spoken to. */
export interface Channel {
  readonly process: ChildProcess;
  send(message: Call): void;
  /** Called once; `hear` is given every message of the process. */
  onMessage(hear: (message: unknown) => void): void;
}

/**
 * An interpreter in C is compiled, and nothing in its process works but its threads. So garbage is collected by the thread that made
 * it: the engine's helpers would be threads more that want a CPU, woken by a CPU thread's garbage, and with them every tenth message
 * took longer. And code is compiled at its first call and optimized after some hundred: what runs only when a thread had to wait for the lock, a
 * few hundred times in a measurement, would otherwise be interpreted for long, between the lock and the next call, where microseconds
 * decide who has it then.
 */
const ENGINE_OPTIONS = [
  '--single-threaded-gc',
  '--always-sparkplug',
  // Of the engine of Node 20 alone; later ones do not start with it.
  ...(process.versions.v8.startsWith('11.3.') ? ['--interrupt-budget=10000'] : []),
];

/** How much of what the process wrote on stderr is kept for the message about its end. */
const STDERR_KEPT = 2_000;

export class Child<C extends Commands> {
  readonly #process: ChildProcess;
  readonly #caller: Caller<C>;
  readonly #exited: Promise<void>;
  #stderr = '';

  /**
   * Starts a process.
   *
   * @param what what messages call it, `the server's process`
   * @param program the compiled module it runs, or what starts something else
   * @param commands what it understands
   */
  constructor(what: string, program: URL | (() => Channel), commands: C) {
    const channel = program instanceof URL ? nodeChannel(program) : program();
    this.#process = channel.process;
    this.#caller = new Caller(what, commands, (call) => channel.send(call));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    channel.onMessage((message) => this.#caller.hear(message));
    this.#exited = new Promise((resolve) => {
      const ended = (how: string) => {
        // Of a process that did not start there is an error, and then its end all the same: the first counts.
        const said = this.#stderr.trim();
        this.#caller.lose(new ChildError(`${what} ${how}${said === '' ? '' : `; it wrote:\n${said}`}`));
        resolve();
      };
      this.#process.once('error', (error) => ended(`did not start: ${error.message}`));
      this.#process.once('close', (code, signal) =>
        ended(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`),
      );
    });
  }

  /** {@link Caller.call}. */
  call<Name extends keyof C & string>(
    command: Name,
    request: RequestOf<C, Name>,
    timeoutMs: number,
  ): Promise<AnswerOf<C, Name>> {
    return this.#caller.call(command, request, timeoutMs);
  }

  /** @throws ChildError if it did not start */
  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw this.lost ?? new ChildError('a process did not start');
    return pid;
  }

  /**
   * Keeps the process and all its threads on some CPUs.
   *
   * @param cpus undefined: on any
   */
  place(cpus: string | undefined): void {
    const { pid } = this.#process;
    if (cpus !== undefined && pid !== undefined) placeProcess(pid, parseCpuList(cpus) ?? []);
  }

  /** How the process ended, or what of it is about to end, if so. */
  get lost(): ChildError | undefined {
    return this.#caller.lost;
  }

  /**
   * Waits until the process has ended, which it was told to; ends it when it does not.
   *
   * @param timeoutMs after which it is ended; `Infinity`: it is waited for
   * @returns whether it ended by itself
   */
  async ended(timeoutMs: number): Promise<boolean> {
    let late = false;
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(() => {
          late = true;
          this.kill();
        }, timeoutMs)
      : undefined;
    await this.#exited;
    clearTimeout(timer);
    return !late;
  }

  /** Ends the process at once. For one that does not end when it is told to, and for the second Ctrl-C. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** A module of ours in a process of its own, over Node's channel. */
function nodeChannel(module: URL): Channel {
  const child = fork(module, [], {
    serialization: 'advanced',
    // A process group of its own: Ctrl-C reaches the bench alone, which then tells its processes.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ENGINE_OPTIONS,
  });
  return {
    process: child,
    // A process that has just ended: its exit event says so.
    send: (message) => child.send(message, () => {}),
    onMessage: (hear) => child.on('message', hear),
  };
}
