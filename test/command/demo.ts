/** Runs `convoy demo`, and talks to it as its page does. */
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { DemoSetup, ToPage } from '../../bench/demo/messages.ts';
import { Convoy } from './convoy.ts';

const TIMEOUT_MS = 20_000;

/** A demo that listens. */
export async function startDemo(...args: string[]): Promise<{ run: Convoy; address: string }> {
  const run = new Convoy('demo', ...args);
  await run.until(() => run.stdout.endsWith('\n'));
  return { run, address: run.stdout.trim() };
}

/** How a handshake was refused, or a conversation ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** Asks for the WebSocket. Its page says it comes from `origin`; null: from nowhere. Resolves with the status of a refusal. */
export function handshake(address: string, origin: string | null, host?: string): Promise<number | 'accepted'> {
  const socket = new WebSocket(socketOf(address), {
    ...(origin === null ? {} : { origin }),
    ...(host === undefined ? {} : { headers: { host } }),
  });
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.terminate();
      resolve('accepted');
    });
    socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode ?? 0));
    socket.on('error', () => {});
  });
}

/** What the page does, without the page. */
export class Page {
  readonly heard: ToPage[] = [];
  readonly ended: Promise<Ended>;
  readonly socket: WebSocket;
  #nextId = 0;

  constructor(address: string) {
    this.socket = new WebSocket(socketOf(address), { origin: new URL(address).origin });
    this.socket.on('message', (data) => this.heard.push(JSON.parse(String(data)) as ToPage));
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Waits for a message, among those that were heard since `from`. */
  async hear<Type extends ToPage['type']>(
    type: Type,
    accept: (message: Extract<ToPage, { type: Type }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<ToPage, { type: Type }>> {
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const found = this.heard
        .slice(from)
        .find((each): each is Extract<ToPage, { type: Type }> => each.type === type && accept(each as never));
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`no such «${type}» among ${JSON.stringify(this.heard).slice(-2_000)}`);
      await delay(5);
    }
  }

  /** Waits until the process of this policy has come so far. */
  state(kind: 'starting' | 'running' | 'ending' | 'failed', policy: string, from = 0) {
    return this.hear('state', ({ state }) => state.kind === kind && state.setup.policy === policy, from);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  switchTo(policy: string, rest: Partial<DemoSetup> = {}): void {
    this.send({ type: 'setup', setup: { policy, spinners: 1, priority: -1, ...rest } });
  }

  /** Sends a key; returns its number. */
  press(text: string): number {
    this.send({ type: 'key', id: this.#nextId, text });
    return this.#nextId++;
  }

  /** Presses a key and waits until it is painted. */
  async type(text: string) {
    const id = this.press(text);
    return this.hear('painted', (painted) => painted.id === id);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended;
  }
}

/** A request with headers that `fetch` would not send. */
export function ask(
  address: string,
  { method = 'GET', headers = {}, path }: { method?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }> {
  const { hostname, port, pathname } = new URL(address);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path: path ?? pathname, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

const socketOf = (address: string) => `${address.replace(/^http/, 'ws')}socket`;
