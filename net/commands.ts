/**
 * Commands between the bench and the processes it starts: a named request, one answer. The requests and answers of a process are
 * declared as schemas, once, and both ends check what arrives against them.
 */
import { z } from 'zod';
import { dieWithParent } from './posix.ts';

/** Schemas of one command. */
interface Command {
  readonly request: z.ZodType;
  readonly answer: z.ZodType;
}

/** The commands a process understands. */
export type Commands = Readonly<Record<string, Command>>;

export type RequestOf<C extends Commands, Name extends keyof C> = z.infer<C[Name]['request']>;
export type AnswerOf<C extends Commands, Name extends keyof C> = z.infer<C[Name]['answer']>;

/** What goes to the process. */
export const callSchema = z.strictObject({ id: z.number().int(), command: z.string(), request: z.unknown() });

/** What comes back. */
export const replySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answer'), id: z.number().int(), answer: z.unknown() }),
  z.strictObject({ kind: z.literal('error'), id: z.number().int(), message: z.string() }),
  /** To no call: the process cannot go on, and ends. */
  z.strictObject({ kind: z.literal('failed'), message: z.string() }),
]);
export type Reply = z.infer<typeof replySchema>;

/** What a process does for each command. */
export type Handlers<C extends Commands> = {
  readonly [Name in keyof C]: (request: RequestOf<C, Name>) => Promise<AnswerOf<C, Name>> | AnswerOf<C, Name>;
};

/**
 * Answers the commands of the parent process until it goes away, and then ends this process at once: without the parent nobody is
 * left to end it, and an orderly exit would wait for threads that are blocked in a call. The kernel sees to it, also where this
 * thread is in a loop of a user's policy; that the channel is closed says it too, where the parent was gone before.
 *
 * @param commands what is understood
 * @param handlers what is done; what they throw becomes the parent's error
 */
export function answerParent<C extends Commands>(commands: C, handlers: Handlers<C>): void {
  dieWithParent();
  process.once('disconnect', endAtOnce);
  if (!process.connected) endAtOnce();
  process.on('message', (message) => {
    void answerCall(commands, handlers, callSchema.parse(message)).then((reply) => process.send?.(reply));
  });
}

/** Does what a call asks for. What the handler throws, and what does not fit the schema, becomes the caller's error. */
export async function answerCall<C extends Commands>(
  commands: C,
  handlers: Handlers<C>,
  { id, command: name, request }: z.infer<typeof callSchema>,
): Promise<Reply> {
  try {
    // Names come from outside: those that every object has are no commands.
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const handler = handlers[name];
    if (command === undefined || handler === undefined) throw new Error(`no command «${name}»`);
    return { kind: 'answer', id, answer: await handler(command.request.parse(request) as RequestOf<C, string>) };
  } catch (error) {
    return { kind: 'error', id, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Tells the parent that this process cannot go on, and why. It answers nothing any more, and ends by itself. */
export function failParent(message: string): void {
  process.send?.({ kind: 'failed', message } satisfies Reply);
}

/** Called by the last command: once its answer is sent, the channel is closed, and the process ends when nothing else is left. */
export function leaveParent(): void {
  process.off('disconnect', endAtOnce);
  setImmediate(() => {
    if (process.connected) process.disconnect();
  });
}

function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}
