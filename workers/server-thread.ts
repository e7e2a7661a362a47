/** Thread body: one thread of a server, its main or one of its connections. */
import { parentPort, workerData } from 'node:worker_threads';
import { enterThread } from '../lock/thread-setup.ts';
import type { Socket } from '../net/posix.ts';
import type { ServerTask } from '../server/calls.ts';
import { drive } from '../server/driver.ts';
import { loadServer } from '../server/echo-server.ts';
import type { ServerThreadData, ServerThreadMessage, ServerThreadTask } from '../server/thread-messages.ts';

const { setup, server, limits, ticksPerCall } = workerData as ServerThreadData;
const port = parentPort;
if (port === null) throw new Error('not a server thread');

const say = (message: ServerThreadMessage) => port.postMessage(message);
const { lock, interpreter } = await enterThread(setup);
const echo = await loadServer(server);

const thread = {
  lock,
  interpreter,
  ticksPerCall,
  startThread: (socket: Socket) => say({ kind: 'startThread', socket }),
  noteConnectionError: (error: string) => say({ kind: 'connectionError', error }),
};

function serve(task: Exclude<ServerThreadTask, { kind: 'end' }>): ServerTask {
  if (task.kind === 'main') return echo.main(task.listener, limits);
  if (echo.concurrency !== 'threads') throw new Error(`${echo.name} has no threads for connections`);
  return echo.connection(task.socket, limits);
}

port.on('message', (task: ServerThreadTask) => {
  if (task.kind === 'end') return port.close();
  let error: string | null = null;
  try {
    drive(serve(task), thread);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  say({ kind: 'done', error });
});
say({ kind: 'ready' });
