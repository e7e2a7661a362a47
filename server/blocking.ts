/**
 * "Python with blocking sockets": a thread per connection, which receives the header, receives the body, sends both back. Three
 * system calls a message, each between a release and an acquire of the lock: the slide's 10,000 × 15 ms.
 */
import { HEADER_BYTES, payloadLength } from '../net/frame.ts';
import { acceptForEver } from './accept-for-ever.ts';
import { recvExactly, sendAll } from './calls.ts';
import type { EchoServer } from './echo-server.ts';

const blocking: EchoServer = {
  name: 'blocking',
  summary: 'a thread per connection, blocking recv and send',
  transport: 'framed',
  transitionsPerMessage: 3,

  main: acceptForEver,

  *connection(socket, { maxMessageBytes }) {
    let frame = Buffer.alloc(HEADER_BYTES);
    let header = frame;
    let body = frame.subarray(HEADER_BYTES);
    while ((yield* recvExactly(socket, header)) === HEADER_BYTES) {
      const payloadBytes = payloadLength(header, maxMessageBytes);
      if (payloadBytes !== body.length) {
        frame = Buffer.alloc(HEADER_BYTES + payloadBytes);
        frame.set(header);
        header = frame.subarray(0, HEADER_BYTES);
        body = frame.subarray(HEADER_BYTES);
      }
      if ((yield* recvExactly(socket, body)) < payloadBytes) return;
      yield* sendAll(socket, frame);
    }
  },
};

export default blocking;
