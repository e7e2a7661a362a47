/**
 * "Python with ZeroMQ (C extension)": zeromq.js, whose own thread does the I/O without the lock; receive and send only pass messages
 * to it and from it. One thread for all clients: a ROUTER, which sends every frame it received back, the sender's identity
 * first. So a REQ's empty delimiter goes back too, and a DEALER, which sends none, gets none.
 */
import { formatEndpoint, portOfEndpoint } from '../net/libzmq.ts';
import { type AsynchronousTask, type MessageSocket, zmqReceive, zmqSend } from './calls.ts';
import type { ZeromqServer } from './echo-server.ts';
import { ZAP_DOMAIN, zmtpLimits } from './zmtp-limits.ts';

/** To a peer that cannot be: only identities that libzmq gives begin with a zero, and they are longer. A ROUTER drops it. */
const TO_NOBODY = [Buffer.alloc(1), Buffer.alloc(0), Buffer.alloc(8)];

function* echo(router: MessageSocket): AsynchronousTask {
  const frames: Uint8Array[] = [];
  while ((yield* zmqReceive(router, frames)) > 0) yield* zmqSend(router, frames);
}

const zeromq = {
  name: 'zeromq',
  summary: 'zeromq.js, one thread for all clients',
  transport: 'zmtp',
  waits: 'asynchronously',
  echo,
  transitionsPerMessage: 2,

  async open(at, limits) {
    // Loaded here and not above: the bench knows this server, too, and needs no addon for that.
    const { Router } = await import('zeromq');
    const { maxMessageBytes, handshakeMs, heartbeatMs, heartbeatTimeoutMs } = zmtpLimits(limits);
    const router = new Router({
      linger: 0,
      // A ROUTER drops what it cannot pass on and never waits to send. Told so, zeromq.js does not look first whether it can, at two
      // system calls more, and has sent when it returns: the lock need not be away until the promise is heard of.
      sendTimeout: 0,
      maxMessageSize: maxMessageBytes,
      handshakeInterval: handshakeMs,
      heartbeatInterval: heartbeatMs,
      heartbeatTimeout: heartbeatTimeoutMs,
      zapDomain: ZAP_DOMAIN,
    });
    try {
      await router.bind(formatEndpoint(at));
      return {
        kind: 'asynchronous',
        port: portOfEndpoint(router.lastEndpoint ?? ''),
        task: echo({
          get closed() {
            return router.closed;
          },
          receive: () => router.receive(),
          send: (frames) => router.send(frames),
          goTheWay: () => router.send(TO_NOBODY),
        }),
        close: () => router.close(),
      };
    } catch (error) {
      router.close();
      throw error;
    }
  },
} satisfies ZeromqServer;

export default zeromq;
