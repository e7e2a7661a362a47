/** Thread body: one thread of a server, its main or one of its connections. */
import { parentPort, workerData } from 'node:worker_threads';
import { enterThread, type ThreadSetup } from '../lock/thread-setup.ts';
import type { Socket } from '../net/posix.ts';
import { drive } from '../server/driver.ts';
import { SERVERS, type ServerLimits } from '../server/echo-server.ts';

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
  /** The task is over: by its own return, or by an error. */
  | { readonly kind: 'done'; readonly error: string | null };

const { setup, server, limits, ticksPerCall } = workerData as ServerThreadData;
const port = parentPort;
const loadServer = SERVERS[server];
if (port === null || loadServer === undefined) throw new Error(`not a server thread: ${server}`);

const say = (message: ServerThreadMessage) => port.postMessage(message);
const { lock, interpreter } = await enterThread(setup);
const echo = (await loadServer()).default;

const thread = {
  lock,
  interpreter,
  ticksPerCall,
  startThread: (socket: Socket) => say({ kind: 'startThread', socket }),
};

port.on('message', (task: ServerThreadTask) => {
  if (task.kind === 'end') return port.close();
  let error: string | null = null;
  try {
    drive(task.kind === 'main' ? echo.main(task.listener) : echo.connection(task.socket, limits), thread);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  say({ kind: 'done', error });
});
say({ kind: 'ready' });
