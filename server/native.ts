/**
 * "C + ZeroMQ (no Python)": libzmq's own proxy with one ROUTER socket at both ends, so that every message goes back where it came
 * from. The thread makes one call, which lasts as long as the server; the lock is free of it from the first message to the last.
 */

import type { ZmqSocket } from '../net/libzmq.ts';
import {
  bindSocket,
  closeContext,
  openContext,
  openSocket,
  setOption,
  setZapDomain,
  shutdownContext,
} from '../net/libzmq.ts';
import { type ServerTask, zmqProxy } from './calls.ts';
import type { EchoServer } from './echo-server.ts';
import { ZAP_DOMAIN, zmtpLimits } from './zmtp-limits.ts';

function* echo(router: ZmqSocket): ServerTask {
  yield* zmqProxy(router, router);
}

const native: EchoServer = {
  name: 'native',
  summary: "libzmq's own proxy, no interpreter",
  transport: 'zmtp',
  waits: 'blocking',
  echo,
  transitionsPerMessage: 0,

  async open(at, limits) {
    const context = openContext();
    const sockets: ZmqSocket[] = [];
    try {
      const router = openSocket(context, 'router');
      sockets.push(router);
      const { maxMessageBytes, handshakeMs, heartbeatMs, heartbeatTimeoutMs } = zmtpLimits(limits);
      setOption(router, 'maxMessageBytes', maxMessageBytes);
      setOption(router, 'handshakeMs', handshakeMs);
      setOption(router, 'heartbeatMs', heartbeatMs);
      setOption(router, 'heartbeatTimeoutMs', heartbeatTimeoutMs);
      setZapDomain(router, ZAP_DOMAIN);
      const port = bindSocket(router, at);
      return {
        kind: 'blocking',
        port,
        handle: context,
        task: echo(router),
        close: () => closeContext(context, sockets),
      };
    } catch (error) {
      closeContext(context, sockets);
      throw error;
    }
  },

  interrupt: shutdownContext,
};

export default native;
