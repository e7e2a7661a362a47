/**
 * "Python with multiprocessing": a child process that speaks the wire format of `multiprocessing.connection`, as the blocking
 * server does otherwise: a thread per connection; header, body, send. It echoes the bytes as they are, `recv_bytes` and
 * `send_bytes`: to encode and decode objects is the clients' affair. Its limit leaves room for what encoding adds.
 */
import {
  bodyLength,
  ENCODING_BYTES,
  encodeHeader,
  HEADER_BYTES,
  LONG_LENGTH_BYTES,
  layOutMessage,
  longBodyLength,
  messageIn,
} from '../net/multiprocessing-format.ts';
import { acceptForEver } from './accept-for-ever.ts';
import { recvHeader, recvPart, sendAll } from './calls.ts';
import type { EchoServer } from './echo-server.ts';
import { recvBody } from './recv-body.ts';

const multiprocessing: EchoServer = {
  name: 'multiprocessing',
  summary: 'a thread per connection, the messages of multiprocessing.connection',
  transport: 'multiprocessing',
  transitionsPerMessage: 3,
  concurrency: 'threads',
  main: acceptForEver,

  *connection(peer, { maxMessageBytes }) {
    const maxBodyBytes = maxMessageBytes + ENCODING_BYTES;
    const header = Buffer.alloc(HEADER_BYTES);
    const longLength = Buffer.alloc(LONG_LENGTH_BYTES);
    let message = layOutMessage(0);
    while (yield* recvHeader(peer, header)) {
      let bodyBytes = bodyLength(header, maxBodyBytes);
      if (bodyBytes === 'long') {
        yield* recvPart(peer, longLength);
        bodyBytes = longBodyLength(longLength, maxBodyBytes);
      }
      if (bodyBytes === message.body.length) {
        yield* recvPart(peer, message.body);
      } else {
        const head = encodeHeader(bodyBytes);
        message = messageIn(yield* recvBody(peer, head.length, bodyBytes), head);
      }
      for (const bytes of message.writes) yield* sendAll(peer, bytes);
    }
  },
};

export default multiprocessing;
