/**
 * ZeroMQ over libzmq, blocking: a REQ socket, whose every message waits for its echo, at a server that is a REP or, as ours, a ROUTER.
 *
 * A ZeroMQ socket hides its connection: it waits for a server that is not there, and connects again behind the caller's back when one
 * goes away, with the message that was under way lost and the wait for its echo without end. Here that is an error, as on any
 * other transport: the socket connects once, and a wait for an echo looks from time to time whether the connection is still there.
 */
import { ProtocolError } from '../net/frame.ts';
import {
  closeContext,
  connectSocket,
  openContext,
  openMonitor,
  openSocket,
  recv,
  recvEvent,
  send,
  setOption,
  shutdownContext,
  TIMED_OUT,
  ZMQ_EVENT,
  type ZmqSocket,
} from '../net/libzmq.ts';
import type { EchoClient } from './echo-client.ts';

/** For the server's half of the handshake. */
const HANDSHAKE_MS = 10_000;
/** How often a wait looks whether the connection is still there. Longer than any round trip that is not starved. */
const LOOK_EVERY_MS = 250;

const EVENTS = ZMQ_EVENT.handshakeSucceeded | ZMQ_EVENT.handshakeFailed | ZMQ_EVENT.disconnected | ZMQ_EVENT.closed;

const zeromq: EchoClient = {
  connect(to, payloadBytes) {
    const context = openContext();
    const sockets: ZmqSocket[] = [];
    try {
      const socket = openSocket(context, 'req');
      sockets.push(socket);
      setOption(socket, 'reconnectMs', -1);
      setOption(socket, 'handshakeMs', HANDSHAKE_MS);
      setOption(socket, 'sendTimeoutMs', LOOK_EVERY_MS);
      setOption(socket, 'receiveTimeoutMs', LOOK_EVERY_MS);
      const monitor = openMonitor(context, socket, EVENTS);
      sockets.push(monitor);
      setOption(monitor, 'receiveTimeoutMs', HANDSHAKE_MS);
      connectSocket(socket, to);
      if (recvEvent(monitor, true) !== ZMQ_EVENT.handshakeSucceeded) {
        throw new ProtocolError(`no ZeroMQ server answers on ${to.host} port ${to.port}`);
      }

      const expectConnected = () => {
        // After the handshake the only news is bad.
        if (recvEvent(monitor, false) !== TIMED_OUT) throw new ProtocolError('the server ended the connection');
      };
      const payload = Buffer.alloc(payloadBytes);
      const echoed = Buffer.alloc(payloadBytes);
      return {
        payload,
        exchange() {
          while (send(socket, payload) === TIMED_OUT) expectConnected();
          let echoedBytes = recv(socket, echoed);
          while (echoedBytes === TIMED_OUT) {
            expectConnected();
            echoedBytes = recv(socket, echoed);
          }
          if (echoedBytes !== payloadBytes) {
            throw new ProtocolError(`the echo of ${payloadBytes} bytes has ${echoedBytes}`);
          }
        },
        echo: () => echoed,
        handle: context,
        close: () => closeContext(context, sockets),
      };
    } catch (error) {
      closeContext(context, sockets);
      throw error;
    }
  },
  interrupt: shutdownContext,
};

export default zeromq;
