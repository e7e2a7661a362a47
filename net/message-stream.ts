/**
 * Messages between two machines: MessagePack in size-prefixed frames, over a socket of the event loop. What arrives is never believed: a
 * frame's length is checked before anything is kept of it, no more is kept than has arrived, and what is no MessagePack ends the
 * connection.
 */
import type { Socket } from 'node:net';
import { Packr, Unpackr } from 'msgpackr';
import { encodeFrame, HEADER_BYTES, ProtocolError, payloadLength } from './frame.ts';
import { RESET_CODES } from './reset.ts';

/** Without record structures, so that every message says all of itself; what is not there is not said, so that no extension is needed. */
const FORM = { useRecords: false, variableMapSize: true, skipValues: [undefined] };
/** Of what the peer does not read. */
const MAX_UNSENT_BYTES = 256 * 2 ** 20;
/** For the last message to leave. */
const LAST_WORDS_MS = 1_000;

const ENDED = 'ended the connection';

export class MessageStream {
  readonly #socket: Socket;
  readonly #packr = new Packr(FORM);
  readonly #unpackr = new Unpackr(FORM);
  readonly #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** Of the frame whose header has been read. */
  #payloadBytes: number | null = null;
  #maxBytes: number;
  #hear: ((message: unknown) => void) | null = null;
  #failed: Error | undefined;
  /** Resolves when the connection is no more, with the reason as a sentence goes on: `ended the connection`, `ended the connection: read ECONNRESET`. */
  readonly closed: Promise<string>;

  /**
   * @param socket connected
   * @param maxBytes the largest message accepted
   */
  constructor(socket: Socket, maxBytes: number) {
    this.#socket = socket.setNoDelay(true);
    this.#maxBytes = maxBytes;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // A peer that ends its half says nothing more, and there is nothing to say to it.
    socket.on('end', () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failed ??= RESET_CODES.has(error.code) ? new Error(`${ENDED}: ${error.message}`) : error;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve(this.#failed?.message ?? ENDED));
    });
  }

  /** The largest message accepted from here on. */
  set maxBytes(bytes: number) {
    this.#maxBytes = bytes;
  }

  /** Who is given each message from here on, in order. Nothing is read while there is nobody. */
  onMessage(hear: (message: unknown) => void): void {
    this.#hear = hear;
    this.#socket.resume();
    this.#take(null);
  }

  /**
   * The next message. Those behind it are not read before they are asked for.
   *
   * @throws ProtocolError if the connection ends before
   */
  next(): Promise<unknown> {
    const message = new Promise((resolve) => {
      this.onMessage((heard) => {
        this.#hear = null;
        resolve(heard);
      });
    });
    const gone = this.closed.then((why) => {
      throw new ProtocolError(why);
    });
    return Promise.race([message, gone]);
  }

  /** Sends a message. One to a peer that is gone is lost: {@link closed} says so. */
  send(message: unknown): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.fail(new ProtocolError('it does not read'));
    else this.#socket.write(encodeFrame(this.#packr.pack(message)));
  }

  /** Ends the connection because of what the peer did. */
  fail(error: Error): void {
    this.#failed ??= error;
    this.#socket.destroy();
  }

  /** Ends the connection, once what was sent has left; or soon, if the peer does not read. */
  close(): void {
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
  }

  #take(chunk: Buffer | null): void {
    if (chunk !== null) {
      this.#chunks.push(chunk);
      this.#chunkBytes += chunk.length;
    }
    try {
      for (;;) {
        this.#payloadBytes ??= this.#readHeader();
        if (this.#payloadBytes === null || this.#chunkBytes < this.#payloadBytes) return;
        if (this.#hear === null) {
          this.#socket.pause();
          return;
        }
        const payload = this.#cut(this.#payloadBytes);
        this.#payloadBytes = null;
        this.#hear(this.#unpackr.unpack(payload));
        if (this.#socket.destroyed) return;
      }
    } catch (error) {
      this.fail(error instanceof ProtocolError ? error : new ProtocolError(`not a message: ${reasonOf(error)}`));
    }
  }

  #readHeader(): number | null {
    return this.#chunkBytes < HEADER_BYTES ? null : payloadLength(this.#cut(HEADER_BYTES), this.#maxBytes);
  }

  /** Takes so many bytes, which are there, out of the chunks: they are joined once for each message, not for each chunk. */
  #cut(bytes: number): Buffer {
    const all = Buffer.concat(this.#chunks.splice(0));
    if (all.length > bytes) this.#chunks.push(all.subarray(bytes));
    this.#chunkBytes -= bytes;
    return all.subarray(0, bytes);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
