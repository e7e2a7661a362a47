/**
 * What a ROUTER asks of its peers. libzmq keeps to it in its own thread, so it costs the server nothing.
 *
 * | option | against |
 * | --- | --- |
 * | ZMQ_MAXMSGSIZE | a frame that announces more, before memory is allocated for it |
 * | ZMQ_HANDSHAKE_IVL | half a greeting, or none |
 * | ZMQ_HEARTBEAT_IVL, _TIMEOUT | half a frame: a whole one, of any kind, must follow a PING. Peers with libzmq answer by themselves |
 * | ZMQ_ZAP_DOMAIN | ZMTP 1 and 2, which know neither a handshake nor PING, and who sends messages before the handshake is over |
 */
import type { ServerLimits } from './echo-server.ts';

/** Any name will do. */
export const ZAP_DOMAIN = 'convoy';

/** A peer that is late is found out after one to two times `peerTimeoutNs`: the PING may just have been sent. */
export function zmtpLimits({ maxMessageBytes, peerTimeoutNs }: ServerLimits) {
  // 0: never.
  const timeoutMs = peerTimeoutNs === Infinity ? 0 : Math.ceil(peerTimeoutNs / 1e6);
  return { maxMessageBytes, handshakeMs: timeoutMs, heartbeatMs: timeoutMs, heartbeatTimeoutMs: timeoutMs };
}
