/** A client that can do what no decent client does: any bytes, at any pace, and any end. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export class RawClient {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // However it ends; what the test expects of the end it says itself.
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    onTestFinished(() => void socket.destroy());
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Resolves when the kernel has taken the bytes. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.#socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  /** So many bytes, no sooner than they are asked for: until then they stay where they are, and the server cannot send for ever. */
  async read(byteCount: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let have = 0;
    while (have < byteCount) {
      const part: Buffer | null = this.#socket.read(Math.min(byteCount - have, this.#socket.readableLength || 1));
      if (part !== null) {
        parts.push(part);
        have += part.length;
      } else {
        if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error(`${have} of ${byteCount} bytes came`);
        const waiting = new AbortController();
        const readable = once(this.#socket, 'readable', { signal: waiting.signal }).catch(() => {});
        await Promise.race([readable, this.#closed]);
        waiting.abort();
      }
    }
    return Buffer.concat(parts);
  }

  /** Sends the bytes, reads as many. */
  async exchange(bytes: Uint8Array): Promise<Buffer> {
    const [echo] = await Promise.all([this.read(bytes.length), this.write(bytes)]);
    return echo;
  }

  /** Resolves when the server has ended the connection. Throws away what still comes. */
  async ended(): Promise<void> {
    this.#socket.resume();
    await this.#closed;
  }

  /** Sends no more: what a good-bye looks like. */
  end(): void {
    this.#socket.end();
  }

  /** Vanishes: a reset in the place of a good-bye (SO_LINGER 0). Resolves when the kernel has sent it. */
  async reset(): Promise<void> {
    this.#socket.resetAndDestroy();
    await this.#closed;
  }
}
