/** Thread body: one thread of a server, its main or one of its connections. */
import { parentPort, workerData } from 'node:worker_threads';
import { LockLost } from '../lock/lost-lock.ts';
import { enterThread } from '../lock/thread-setup.ts';
import { clockOriginNs } from '../net/clock.ts';
import type { Socket } from '../net/posix.ts';
import { CallLog } from '../server/call-log.ts';
import { drive, driveAsynchronously } from '../server/driver.ts';
import type { OpenServer } from '../server/echo-server.ts';
import { newPeer } from '../server/peer.ts';
import { loadServer } from '../server/servers.ts';
import type { ServerThreadData, ServerThreadMessage, ServerThreadTask } from '../server/thread-messages.ts';

const { setup, server, limits, workPerCallNs, log } = workerData as ServerThreadData;
const port = parentPort;
if (port === null) throw new Error('not a server thread');

const say = (message: ServerThreadMessage) => port.postMessage(message);
const { lock, interpreter } = await enterThread(setup, clockOriginNs);
const echo = await loadServer(server);

const thread = {
  lock,
  interpreter,
  workPerCallNs,
  keepsLockOnNonblocking: setup.policy.keepLockOn === 'nonblocking',
  log: log === null ? null : new CallLog(log),
  startThread: (socket: Socket) => say({ kind: 'startThread', socket }),
  noteConnectionError: (error: string) => say({ kind: 'connectionError', error }),
};

let opened: OpenServer | undefined;

async function run(task: ServerThreadTask): Promise<void> {
  if (echo.transport === 'zmtp') {
    if (task.kind !== 'open') throw new Error(`${echo.name} cannot run «${task.kind}»`);
    opened = await echo.open(task.at, limits);
    say({ kind: 'listening', port: opened.port, handle: opened.kind === 'blocking' ? opened.handle : null });
    if (opened.kind === 'blocking') drive(opened.task, thread);
    else await driveAsynchronously(opened.task, thread);
  } else if (task.kind === 'main') drive(echo.main(task.listener, limits), thread);
  else if (task.kind === 'connection' && echo.concurrency === 'threads')
    drive(echo.connection(newPeer(task.socket, limits.peerTimeoutNs), limits), thread);
  else throw new Error(`${echo.name} cannot run «${task.kind}»`);
}

port.on('message', (task: ServerThreadTask) => {
  if (task.kind === 'end') return port.close();
  if (task.kind === 'close') return opened?.close();
  void run(task).then(
    () => say({ kind: 'done', error: null, lockLost: false }),
    (thrown: unknown) => {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      say({ kind: 'done', error, lockLost: thrown instanceof LockLost });
    },
  );
});
say({ kind: 'ready' });
