/** What an echo server is, and the list of those there are. */
import type { Socket } from '../net/posix.ts';
import type { ServerTask } from './calls.ts';

/** Limits a server keeps to. */
export interface ServerLimits {
  /** The largest payload it accepts, in bytes. Checked before memory is allocated for it. */
  readonly maxMessageBytes: number;
}

interface Served {
  readonly name: string;
  readonly summary: string;
  /** The wire format its clients speak. */
  readonly transport: 'framed' | 'multiprocessing';
  /** How often it gives up the lock for a message that comes in one piece and whose echo leaves in one. */
  readonly transitionsPerMessage: number;
  /** The thread that accepts connections. It returns when the listener is shut down. */
  main(listener: Socket, limits: ServerLimits): ServerTask;
}

/** An echo server as its file exports it. */
export type EchoServer =
  | (Served & {
      readonly concurrency: 'threads';
      /** The thread of one connection; main starts it. */
      connection(socket: Socket, limits: ServerLimits): ServerTask;
    })
  /** The main thread serves all connections. Their sockets are its own: it closes each when it ends, and all when it returns. */
  | (Served & { readonly concurrency: 'coroutines' });

/** Name → how to load it. To add a server, write its file and name it here. */
export const SERVERS: Readonly<Record<string, () => Promise<{ default: EchoServer }>>> = {
  multiprocessing: () => import('./multiprocessing.ts'),
  blocking: () => import('./blocking.ts'),
  nonblocking: () => import('./nonblocking.ts'),
};

/** @throws Error if there is no such server */
export async function loadServer(name: string): Promise<EchoServer> {
  const load = SERVERS[name];
  if (load === undefined) throw new Error(`there is no server «${name}»`);
  return (await load()).default;
}
