/** What a server's process and its threads say to each other. */
import type { ThreadSetup } from '../lock/thread-setup.ts';
import type { Endpoint, Socket } from '../net/posix.ts';
import type { ServerLimits } from './echo-server.ts';
import type { SpinSetup } from './protocol.ts';

/** What the thread is started with. */
export interface ServerThreadData {
  readonly setup: ThreadSetup;
  readonly server: string;
  readonly limits: ServerLimits;
  readonly workPerCallNs: number;
  /** For its call log; null if it keeps none. */
  readonly log: SharedArrayBuffer | null;
}

/** To the thread: what to run. Sent apart from the start, so that threads can be started before there is a connection. */
export type ServerThreadTask =
  | { readonly kind: 'main'; readonly listener: Socket }
  | { readonly kind: 'connection'; readonly socket: Socket }
  /** For a server that binds by itself. */
  | { readonly kind: 'open'; readonly at: Endpoint }
  /** Closes what `open` opened. */
  | { readonly kind: 'close' }
  /** Ends the thread. */
  | { readonly kind: 'end' };

/** From the thread. */
export type ServerThreadMessage =
  /** Loaded, waiting for a task. */
  | { readonly kind: 'ready' }
  /** The task asks for a thread for this connection. */
  | { readonly kind: 'startThread'; readonly socket: Socket }
  /** Opened; what interrupts its thread from another one, null if it hears messages. */
  | { readonly kind: 'listening'; readonly port: number; readonly handle: number | null }
  /** A connection the thread itself owned has ended, and not by its client's good-bye. */
  | { readonly kind: 'connectionError'; readonly error: string }
  /** The task is over: by its own return, or by an error, which may be that there is no lock any more. */
  | { readonly kind: 'done'; readonly error: string | null; readonly lockLost: boolean };

/** What a CPU thread is started with. */
export interface SpinnerTask {
  readonly setup: ThreadSetup;
  readonly kind: SpinSetup['kind'];
  /** Set at birth: higher runs first, 0 is everybody's. */
  readonly priority: number;
  /** One `Int32Array` word: the spinner ends when it is not 0. */
  readonly stop: SharedArrayBuffer;
}
