/** A process the bench has started: commands to it, and its end. */
import { type ChildProcess, fork } from 'node:child_process';
import { type AnswerOf, type Commands, type RequestOf, replySchema } from '../net/commands.ts';
import { placeProcess } from './affinity.ts';
import { parseCpuList } from './cpu-list.ts';

/** A process that failed, went away or did not answer; the message names it and says how. */
export class ChildError extends Error {
  override readonly name = 'ChildError';
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** How a process is spoken to. */
export interface Channel {
  readonly process: ChildProcess;
  send(message: { readonly id: number; readonly command: string; readonly request: unknown }): void;
  /** Called once; `hear` is given every message of the process. */
  onMessage(hear: (message: unknown) => void): void;
}

/** How much of what the process wrote on stderr is kept for the message about its end. */
const STDERR_KEPT = 2_000;

export class Child<C extends Commands> {
  readonly #what: string;
  readonly #commands: C;
  readonly #process: ChildProcess;
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #stderr = '';
  #nextId = 0;
  #end: ChildError | undefined;
  /** What the process said it ends of, before it did. */
  #failure: ChildError | undefined;

  /**
   * Starts a process.
   *
   * @param what what messages call it, `the server's process`
   * @param program the compiled module it runs, or what starts something else
   * @param commands what it understands
   */
  constructor(what: string, program: URL | (() => Channel), commands: C) {
    this.#what = what;
    this.#commands = commands;
    this.#channel = program instanceof URL ? nodeChannel(program) : program();
    this.#process = this.#channel.process;
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#channel.onMessage((message) => this.#hear(message));
    this.#exited = new Promise((resolve) => {
      const ended = (how: string) => {
        // Of a process that did not start there is an error, and then its end all the same.
        if (this.#end !== undefined) return;
        const said = this.#stderr.trim();
        this.#end = new ChildError(`${this.#what} ${how}${said === '' ? '' : `; it wrote:\n${said}`}`);
        this.#rejectAll(this.#end);
        resolve();
      };
      this.#process.once('error', (error) => ended(`did not start: ${error.message}`));
      this.#process.once('close', (code, signal) =>
        ended(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`),
      );
    });
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param timeoutMs after which the process is taken to hang
   * @throws ChildError if the process has ended, ends meanwhile, answers with an error, or does not answer in time
   */
  async call<Name extends keyof C & string>(
    command: Name,
    request: RequestOf<C, Name>,
    timeoutMs: number,
  ): Promise<AnswerOf<C, Name>> {
    if (this.lost !== undefined) throw this.lost;
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(
          () => reject(new ChildError(`${this.#what} did not answer «${command}» within ${timeoutMs / 1e3} s`)),
          timeoutMs,
        );
        this.#channel.send({ id, command, request });
      });
      return this.#commands[command]?.answer.parse(answer) as AnswerOf<C, Name>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** @throws ChildError if it did not start */
  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw this.#end ?? new ChildError(`${this.#what} did not start`);
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
    return this.#failure ?? this.#end;
  }

  /**
   * Waits until the process has ended, which it was told to; ends it when it does not.
   *
   * @returns whether it ended by itself
   */
  async ended(timeoutMs: number): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill();
    }, timeoutMs);
    await this.#exited;
    clearTimeout(timer);
    return !late;
  }

  /** Ends the process at once. For one that does not end when it is told to, and for the second Ctrl-C. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #rejectAll(error: ChildError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #hear(message: unknown): void {
    const reply = replySchema.parse(message);
    if (reply.kind === 'failed') {
      this.#failure = new ChildError(`${this.#what} cannot go on: ${reply.message}`);
      this.#rejectAll(this.#failure);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === 'answer') waiting?.resolve(reply.answer);
    else waiting?.reject(new ChildError(reply.message));
  }
}

/** A module of ours in a process of its own, over Node's channel. */
function nodeChannel(module: URL): Channel {
  const child = fork(module, [], {
    serialization: 'advanced',
    // A process group of its own: Ctrl-C reaches the bench alone, which then tells its processes.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  return {
    process: child,
    // A process that has just ended: its exit event says so.
    send: (message) => child.send(message, () => {}),
    onMessage: (hear) => child.on('message', hear),
  };
}
