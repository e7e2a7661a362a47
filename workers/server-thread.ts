/** Thread body: one thread of a server, its main or one of its connections. */
import { parentPort, workerData } from 'node:worker_threads';
import { enterThread } from '../lock/thread-setup.ts';
import type { Socket } from '../net/posix.ts';
import { CallLog } from '../server/call-log.ts';
import { drive } from '../server/driver.ts';
import { SERVERS } from '../server/echo-server.ts';
import type { ServerThreadData, ServerThreadMessage, ServerThreadTask } from '../server/thread-messages.ts';

const { setup, server, limits, ticksPerCall, log } = workerData as ServerThreadData;
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
  log: log === null ? null : new CallLog(log),
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
