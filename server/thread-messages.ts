/** What a server's process and its threads say to each other. */
import type { ThreadSetup } from '../lock/thread-setup.ts';
import type { Socket } from '../net/posix.ts';
import type { ServerLimits } from './echo-server.ts';

/** What the thread is started with. */
export interface ServerThreadData {
  readonly setup: ThreadSetup;
  readonly server: string;
  readonly limits: ServerLimits;
  readonly ticksPerCall: number;
}

/** To the thread: what to run. Sent apart from the start, so that threads can be started before there is a connection. */
export type ServerThreadTask =
  | { readonly kind: 'main'; readonly listener: Socket }
  | { readonly kind: 'connection'; readonly socket: Socket }
  /** Ends the thread. */
  | { readonly kind: 'end' };

/** From the thread. */
export type ServerThreadMessage =
  /** Loaded, waiting for a task. */
  | { readonly kind: 'ready' }
  /** The task asks for a thread for this connection. */
  | { readonly kind: 'startThread'; readonly socket: Socket }
  /** A connection the thread itself owned has ended, and not by its client's good-bye. */
  | { readonly kind: 'connectionError'; readonly error: string }
  /** The task is over: by its own return, or by an error. */
  | { readonly kind: 'done'; readonly error: string | null };

/** What a CPU thread is started with. */
export interface SpinnerTask {
  readonly setup: ThreadSetup;
  /** One `Int32Array` word: the spinner ends when it is not 0. */
  readonly stop: SharedArrayBuffer;
}
