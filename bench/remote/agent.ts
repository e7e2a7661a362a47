/**
 * An agent: listens for controllers and does what one of them at a time asks for. Strangers are few at a time, have seconds to prove
 * themselves and can make it keep next to nothing; a controller that falls silent is taken to be gone, and all that was started for it
 * is ended.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { answerCall, callSchema } from '../../net/commands.ts';
import { ProtocolError } from '../../net/frame.ts';
import { MessageStream } from '../../net/message-stream.ts';
import { admit, RefusedError } from './handshake.ts';
import {
  type AgentMessage,
  controlCommands,
  HANDSHAKE_MS,
  MAX_CALL_BYTES,
  MAX_STRANGE_BYTES,
  MAX_STRANGERS,
  SILENCE_MS,
} from './protocol.ts';
import { Session, type SessionSetup } from './session.ts';

/** How it is started. */
export interface AgentSetup {
  readonly token: string;
  /** IPv4 address the servers bind to; null: the one the controller reached. */
  readonly bindHost: string | null;
  readonly policyFiles: SessionSetup['policyFiles'];
  /** Tells the user. */
  say(line: string): void;
}

/** Strangers that were sent away are told of at most so often. */
const SAY_EVERY_MS = 1_000;

export class Agent {
  readonly #setup: AgentSetup;
  readonly #server: Server;
  /** Those that have proved nothing yet, in the order in which they came. */
  readonly #strangers = new Set<MessageStream>();
  #controller: { readonly name: string; readonly stream: MessageStream } | null = null;
  /** Resolves when all that was started for the last controller has ended. */
  #cleared: Promise<void> = Promise.resolve();
  #unsaid = 0;
  #saidAtMs = -Infinity;

  constructor(setup: AgentSetup) {
    this.#setup = setup;
    this.#server = createServer((socket) => void this.#receive(socket));
  }

  /**
   * Listens.
   *
   * @returns the port
   * @throws Error if it cannot
   */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, resolve);
    });
    // Out of descriptors, for one: whoever wanted to come sees it.
    this.#server.on('error', (error) => this.#setup.say(error.message));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#server.close();
    for (const stream of this.#strangers) stream.close();
    this.#controller?.stream.close();
    await this.#controller?.stream.closed;
    await this.#cleared;
  }

  async #receive(socket: Socket): Promise<void> {
    const name = `${socket.remoteAddress}:${socket.remotePort}`;
    const bindHost = this.#setup.bindHost ?? socket.localAddress ?? '127.0.0.1';
    const stream = new MessageStream(socket, MAX_STRANGE_BYTES);
    this.#strangers.add(stream);
    const [eldest] = this.#strangers;
    if (this.#strangers.size > MAX_STRANGERS) eldest?.fail(new ProtocolError('too many came at once'));
    const slow = setTimeout(
      () => stream.fail(new ProtocolError(`did not prove itself within ${HANDSHAKE_MS / 1e3} s`)),
      HANDSHAKE_MS,
    );
    void stream.closed.then(() => this.#strangers.delete(stream));
    try {
      await admit(stream, this.#setup.token, async () => {
        clearTimeout(slow);
        this.#strangers.delete(stream);
        if (this.#controller !== null) {
          throw new RefusedError('busy', `another controller is there: ${this.#controller.name}`);
        }
        this.#controller = { name, stream };
        void stream.closed.then(() => {
          this.#controller = null;
        });
        await this.#cleared;
      });
    } catch (error) {
      // Who came and went without a word only looked whether somebody is there.
      if (socket.bytesRead > 0) this.#turnedAway(name, error instanceof Error ? error.message : String(error));
      stream.close();
      return;
    } finally {
      clearTimeout(slow);
    }
    this.#cleared = this.#serve(stream, name, bindHost);
  }

  async #serve(stream: MessageStream, name: string, bindHost: string): Promise<void> {
    const { policyFiles, say } = this.#setup;
    const send = (message: AgentMessage) => stream.send(message);
    const onLost = (side: number, message: string) => send({ kind: 'lost', side, message });
    const session = new Session({ bindHost, policyFiles, onLost });
    let heardAtMs = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardAtMs > SILENCE_MS) {
        stream.fail(new ProtocolError(`was not heard for ${SILENCE_MS / 1e3} s`));
      }
    }, 1_000);
    say(`controller ${name}: came`);
    stream.maxBytes = MAX_CALL_BYTES;
    stream.onMessage((message) => {
      heardAtMs = performance.now();
      const call = callSchema.safeParse(message);
      if (!call.success) throw new ProtocolError(`not a call: ${z.prettifyError(call.error)}`);
      void answerCall(controlCommands, session.handlers, call.data).then(send);
    });
    const why = await stream.closed;
    clearInterval(watch);
    await session.end();
    say(`controller ${name}: ${why}`);
  }

  /** A flood of strangers is no flood of lines. */
  #turnedAway(name: string, why: string): void {
    if (performance.now() - this.#saidAtMs < SAY_EVERY_MS) {
      this.#unsaid++;
      return;
    }
    const others = this.#unsaid === 0 ? '' : ` (and ${this.#unsaid} before)`;
    this.#setup.say(`${name}: turned away: ${why}${others}`);
    this.#saidAtMs = performance.now();
    this.#unsaid = 0;
  }
}
