/** Commands that wait for their answers, whatever carries them: a process's channel, or a connection to another machine. */
import { type AnswerOf, type Commands, type RequestOf, replySchema } from '../../net/commands.ts';

/** Whom we speak to failed, went away or did not answer; the message names it and says how. */
export class ChildError extends Error {
  override readonly name = 'ChildError';
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One command on its way. */
export interface Call {
  readonly id: number;
  readonly command: string;
  readonly request: unknown;
}

export class Caller<C extends Commands> {
  readonly #what: string;
  readonly #commands: C;
  readonly #send: (call: Call) => void;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #lost: ChildError | undefined;

  /**
   * @param what what messages call the other side, `the server's process`
   * @param commands what it understands
   * @param send carries a command to it
   */
  constructor(what: string, commands: C, send: (call: Call) => void) {
    this.#what = what;
    this.#commands = commands;
    this.#send = send;
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param timeoutMs after which the other side is taken to hang
   * @throws ChildError if the other side is gone, goes meanwhile, answers with an error, or does not answer in time
   */
  async call<Name extends keyof C & string>(
    command: Name,
    request: RequestOf<C, Name>,
    timeoutMs: number,
  ): Promise<AnswerOf<C, Name>> {
    if (this.#lost !== undefined) throw this.#lost;
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(
          () => reject(new ChildError(`${this.#what} did not answer «${command}» within ${timeoutMs / 1e3} s`)),
          timeoutMs,
        );
        this.#send({ id, command, request });
      });
      return this.#commands[command]?.answer.parse(answer) as AnswerOf<C, Name>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Is given every message of the other side. */
  hear(message: unknown): void {
    const reply = replySchema.parse(message);
    if (reply.kind === 'failed') {
      this.lose(new ChildError(`${this.#what} cannot go on: ${reply.message}`));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === 'answer') waiting?.resolve(reply.answer);
    else waiting?.reject(new ChildError(reply.message));
  }

  /** Called once the other side is gone, or goes: nobody waits for it any longer. The first reason that is known counts. */
  lose(error: ChildError): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }

  /** How the other side went, or why it will, if so. */
  get lost(): ChildError | undefined {
    return this.#lost;
  }
}
