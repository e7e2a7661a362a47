/**
 * "Python with nonblocking sockets, coroutines": the blocking server's own text, with coroutines in one thread for its threads and
 * a scheduler that polls for all of them. A message costs two calls more than there, the recv that finds nothing and the poll:
 * recv (nothing), poll, recv header, recv body, send.
 */
import { acceptForEver } from './accept-for-ever.ts';
import { runCoroutines } from './coroutines.ts';
import { echoFrames } from './echo-frames.ts';
import type { EchoServer } from './echo-server.ts';

const nonblocking: EchoServer = {
  name: 'nonblocking',
  summary: 'coroutines scheduled over poll, all connections in one thread',
  transport: 'framed',
  transitionsPerMessage: 5,
  concurrency: 'coroutines',
  main: (listener, limits) =>
    runCoroutines(acceptForEver(listener), limits.peerTimeoutNs, (peer) => echoFrames(peer, limits)),
};

export default nonblocking;
