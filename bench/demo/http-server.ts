/**
 * Serves the page, to this machine and to whoever was given the address. Other programs and other web sites can reach a loopback port,
 * so each request must know the token in the address and name this server as its host: a web site whose name is made to point at 127.0.0.1
 * (DNS rebinding) has another name in its requests. The WebSocket must also come from the page itself.
 *
 * Nothing of the page comes from elsewhere, nothing is inline, nothing is kept: the content security policy says so to the browser.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PageFile } from './page-files.ts';

const HOST = '127.0.0.1';
const TOKEN_BYTES = 16;
/** A browser opens six. */
const MAX_CONNECTIONS = 64;

/** Why a request is refused. */
interface Refusal {
  readonly status: 400 | 403 | 404 | 405;
  readonly why: string;
}

/** A request for a WebSocket that has passed. */
export type OnSocket = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export class HttpServer {
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #token = randomBytes(TOKEN_BYTES).toString('hex');

  /**
   * @param files of the page, by name
   * @param onSocket is given every WebSocket the page opens
   */
  constructor(files: ReadonlyMap<string, PageFile>, onSocket: OnSocket) {
    this.#files = files;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('upgrade', (request, socket, head) => {
      // One that breaks off is nobody's loss.
      socket.on('error', () => socket.destroy());
      const refusal = this.#refusesSocket(request);
      if (refusal === null) onSocket(request, socket, head);
      else refuse(socket, refusal);
    });
  }

  /**
   * Listens on loopback.
   *
   * @param port 0 for any free one
   * @returns the address of the page, with its token
   * @throws Error of the system, with its `code`, if the port cannot be had
   */
  async listen(port: number): Promise<string> {
    this.#server.listen(port, HOST);
    await once(this.#server, 'listening');
    return `http://${HOST}:${this.#port}/${this.#token}/`;
  }

  /** Ends every connection and frees the port. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value);
    const refusal = this.#refuses(request) ?? (isRead(request) ? null : { status: 405, why: 'the page is only read' });
    const file = refusal === null ? this.#files.get(this.#fileOf(request)) : undefined;
    if (file !== undefined) {
      response.setHeader('Content-Type', file.type);
      response.end(request.method === 'HEAD' ? undefined : file.body);
      return;
    }
    const { status, why } = refusal ?? { status: 404, why: 'there is no such file' };
    response.statusCode = status;
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end(`convoy demo: ${why}\n`);
  }

  /** Null: it knows the address. */
  #refuses({ headers, url = '' }: IncomingMessage): Refusal | null {
    if (!this.#hosts().includes(headers.host ?? '')) {
      const why = `«${headers.host ?? ''}» is not this server; behind a port forwarding use the same port at both ends`;
      return { status: 403, why };
    }
    const [, token = ''] = url.split('/');
    if (!isSame(token, this.#token)) return { status: 403, why: 'use the whole address that was printed' };
    return null;
  }

  #refusesSocket(request: IncomingMessage): Refusal | null {
    const refusal = this.#refuses(request);
    if (refusal !== null) return refusal;
    if (request.headers.origin !== `http://${request.headers.host}`) return { status: 403, why: 'a foreign origin' };
    return this.#fileOf(request) === 'socket' ? null : { status: 404, why: 'no such socket' };
  }

  /** As a browser on this machine names it. */
  #hosts(): string[] {
    return [`${HOST}:${this.#port}`, `localhost:${this.#port}`];
  }

  #fileOf({ url = '' }: IncomingMessage): string {
    const name = url.slice(1 + this.#token.length + 1);
    return name === '' ? 'index.html' : name;
  }

  #headers(): Record<string, string> {
    const sockets = this.#hosts().map((host) => `ws://${host}`);
    const policy = [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src ${sockets.join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ];
    return {
      'Content-Security-Policy': policy.join('; '),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    };
  }
}

/**
 * Nobody reads what the peer goes on sending, so its end would never be seen: the connection is ended here. One that is left would keep the
 * server from closing, but not the process from running out of things to wait for.
 */
function refuse(socket: Duplex, { status }: Refusal): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}

const isRead = ({ method }: IncomingMessage) => method === 'GET' || method === 'HEAD';

/** In a time that does not tell how much of it is right. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
