/** What an echo server is, and the list of those there are. */
import type { Socket } from '../net/posix.ts';
import type { ServerTask } from './calls.ts';

/** Limits a server keeps to. */
export interface ServerLimits {
  /** The largest payload it accepts, in bytes. Checked before memory is allocated for it. */
  readonly maxMessageBytes: number;
}

/** An echo server as its file exports it. */
export interface EchoServer {
  readonly name: string;
  readonly summary: string;
  /** The wire format its clients speak. */
  readonly transport: 'framed';
  /** How often it gives up the lock for a message that comes in one piece. */
  readonly transitionsPerMessage: number;
  /** The thread that owns the listening socket. */
  main(listener: Socket): ServerTask;
  /** The thread of one connection; main starts it. */
  connection(socket: Socket, limits: ServerLimits): ServerTask;
}

/** The server of the gui scenario; no server of the talk's tables. */
export const EDITOR = 'editor';

/** Name → how to load it. To add a server, write its file and name it here. */
export const SERVERS: Readonly<Record<string, () => Promise<{ default: EchoServer }>>> = {
  blocking: () => import('./blocking.ts'),
  editor: () => import('./editor.ts'),
};

/** The servers of the talk, in the order of its tables. */
export const TALK_SERVERS: readonly string[] = Object.keys(SERVERS).filter((name) => name !== EDITOR);
