/** One hostile connection after the other, from one process: what `input.ts` has thought of, done. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { HostileInput } from './input.ts';

/**
 * So long a server may be silent before it ends a connection whose client has said good-bye. Not so long in all: it owes an echo for each
 * message that came before, and thousands of them fit into one piece. Their bytes bound how many there are.
 */
const GOODBYE_MS = 30_000;
const ANSWER_MS = 5;
/** Of each peer. A connection that is held holds a thread of the servers that have one for each. */
const MOST_HELD = 1;
/** The system has no ports left, or the server's backlog is full: both pass. */
const PASSING = new Set(['EADDRNOTAVAIL', 'EAGAIN', 'ETIMEDOUT']);

export class HostilePeer {
  readonly #port: number;
  readonly #goodbyeMs: number;
  readonly #held: Socket[] = [];
  /** What has come back on all connections. */
  answeredBytes = 0;

  constructor(port: number, goodbyeMs = GOODBYE_MS) {
    this.#port = port;
    this.#goodbyeMs = goodbyeMs;
  }

  /**
   * Makes a connection and does with it what the input says.
   *
   * @throws Error if nobody listens, or the server does not answer a good-bye
   */
  async send({ pieces, patient, end }: HostileInput): Promise<void> {
    const socket = await this.#connect();
    for (const piece of pieces) {
      if (socket.destroyed) return;
      socket.write(piece);
      // Each in a segment of its own, most of the time.
      if (patient) await answer(socket);
      else await nextTurn();
    }
    if (end === 'reset') socket.resetAndDestroy();
    else if (end === 'hold') this.#hold(socket);
    else await goodbye(socket, this.#goodbyeMs);
  }

  /** Lets go of what is held. */
  close(): void {
    for (const socket of this.#held.splice(0)) socket.destroy();
  }

  async #connect(): Promise<Socket> {
    for (;;) {
      const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
      try {
        await once(socket, 'connect');
        // A reset is as good an answer as an end.
        socket.on('error', () => {});
        return socket.on('data', (bytes) => {
          this.answeredBytes += bytes.length;
        });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && PASSING.has(String(error.code)))) throw error;
        await delay(100);
      }
    }
  }

  #hold(socket: Socket): void {
    this.#held.push(socket);
    if (this.#held.length > MOST_HELD) this.#held.shift()?.destroy();
  }
}

/** Waits until something comes back, or nothing has for a moment. */
async function answer(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(late);
      socket.off('data', done).off('close', done);
      resolve();
    };
    const late = setTimeout(done, ANSWER_MS);
    socket.on('data', done).on('close', done);
  });
}

async function goodbye(socket: Socket, silenceMs: number): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const late = setTimeout(() => socket.destroy(new Error('late')), silenceMs);
  socket.on('data', () => late.refresh()).end();
  await closed;
  clearTimeout(late);
  if (socket.errored?.message === 'late') {
    throw new Error(
      `the server is silent for ${silenceMs / 1e3} s after a client's good-bye, and has not ended the connection`,
    );
  }
}
