/**
 * "Python with blocking sockets": a thread per connection, which receives the header, receives the body, sends both back. Three
 * system calls a message, each between a release and an acquire of the lock: the slide's 10,000 × 15 ms.
 */
import { acceptForEver } from './accept-for-ever.ts';
import { echoFrames } from './echo-frames.ts';
import type { EchoServer } from './echo-server.ts';

const blocking: EchoServer = {
  name: 'blocking',
  summary: 'a thread per connection, blocking recv and send',
  transport: 'framed',
  transitionsPerMessage: 3,
  concurrency: 'threads',
  main: acceptForEver,
  connection: echoFrames,
};

export default blocking;
