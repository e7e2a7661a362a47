/**
 * "Not just networks: try this GUI experiment" (`badidle.py`): an editor whose event loop shares the lock with a CPU thread.
 *
 * A message is a key stroke, its echo the moment at which the key is on the screen. To draw it the event loop makes many short
 * calls into its toolkit (IDLE: Tk), each of which gives up the lock and takes tens of microseconds: long enough for a thread that
 * waits for the lock to wake up and take it. The lag of a key is then not one switch interval but one for each call.
 */
import { HEADER_BYTES, payloadLength } from '../net/frame.ts';
import { acceptForEver } from './accept-for-ever.ts';
import { recvHeader, sendAll, toolkit } from './calls.ts';
import type { EchoServer } from './echo-server.ts';
import { recvBody } from './recv-body.ts';

/** A key in an editor with syntax colours: insert, scan, recolour, move the cursor, redraw. An assumption, not a measurement. */
const TOOLKIT_CALLS_PER_KEY = 20;
const TOOLKIT_CALL_NS = 50_000;

const editor: EchoServer = {
  name: 'editor',
  summary: 'an event loop: 20 short toolkit calls for each key, the badidle experiment',
  transport: 'framed',
  concurrency: 'threads',
  transitionsPerMessage: 3 + TOOLKIT_CALLS_PER_KEY,

  main: acceptForEver,

  *connection(peer, { maxMessageBytes }) {
    const header = Buffer.alloc(HEADER_BYTES);
    while (yield* recvHeader(peer, header)) {
      const key = yield* recvBody(peer, HEADER_BYTES, payloadLength(header, maxMessageBytes));
      key.set(header);
      for (let call = 0; call < TOOLKIT_CALLS_PER_KEY; call++) yield* toolkit(TOOLKIT_CALL_NS);
      yield* sendAll(peer, key);
    }
  },
};

export default editor;
