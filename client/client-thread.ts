/**
 * Thread body: the client of the talk.
 *
 *     while nummsg > 0: send(msg); resp = recv(); sleep(0.001); nummsg -= 1
 */
import { parentPort, workerData } from 'node:worker_threads';
import { clockOriginNs } from '../net/clock.ts';
import { CLIENTS } from './clients.ts';
import type { RoundTrips } from './protocol.ts';
import {
  type ClientThreadData,
  type ClientThreadMessage,
  type ClientThreadTask,
  ECHOES,
  END,
  END_WORD,
} from './thread-messages.ts';

/** Messages. */
const SHORT_RUN = 10;

const { setup, words } = workerData as ClientThreadData;
const port = parentPort;
const loadClient = CLIENTS[setup.transport];
if (port === null || loadClient === undefined) throw new Error(`not a client thread: ${setup.transport}`);

const say = (message: ClientThreadMessage) => port.postMessage(message);
const originNs = clockOriginNs();
const shared = new Int32Array(words);
const connection = (await loadClient()).default.connect({ host: setup.host, port: setup.port }, setup.payloadBytes);
say({ kind: 'connected', handle: connection.handle });

const { payload } = connection;
const pauseMs = setup.delayNs / 1e6;
// No two bytes at a distance of less than 251 are related, so that an echo shifted by any power of two differs.
for (let i = 0; i < payload.length; i++) payload[i] = i % 251;

/** Writes the message's number into its first bytes, so that the echo of an earlier message is not taken for its own. */
function number(message: number): void {
  for (let i = 0; i < Math.min(4, payload.length); i++) payload[i] = message >>> (8 * i);
}

function checkEcho(message: number): void {
  if (Buffer.compare(payload, connection.echo()) !== 0) throw new Error(`the echo of message ${message} differs`);
}

// What is not counted goes the very way of what is, in many short runs: of one long loop the engine compiles the middle, and then once more
// in the middle of the run that counts. Without pauses: at the pace of that run it would be interpreting for seconds.
for (let left = setup.warmupMessages; left > 0; left -= SHORT_RUN) roundTrips(Math.min(left, SHORT_RUN), Infinity, 0);
say({ kind: 'warm' });

port.on('message', (task: ClientThreadTask) => {
  if (task.kind === 'settle') {
    roundTrips(task.messages, performance.now() + task.forMs, 0);
    roundTrips(task.messages, performance.now() + task.forMs, Math.min(task.forMs, pauseMs));
    say({ kind: 'settled' });
  } else if (task.kind === 'run') {
    say({ kind: 'ran', trips: roundTrips(task.messages, Infinity, pauseMs) });
  } else {
    connection.close();
    port.close();
  }
});

/** Makes round trips until there are so many, it is that late, or the thread is told to end. */
function roundTrips(messages: number, untilMs: number, pauseMs: number): RoundTrips {
  const sentNs = new Float64Array(messages);
  const rttNs = new Float64Array(messages);
  const startMs = performance.now();
  let durationNs = 0;
  let done = 0;
  while (done < messages && Atomics.load(shared, END_WORD) === END.no && performance.now() < untilMs) {
    number(done);
    const sentMs = performance.now();
    try {
      connection.exchange();
    } catch (error) {
      // Interrupted: the message that was under way does not count.
      if (Atomics.load(shared, END_WORD) !== END.no) break;
      throw error;
    }
    const backMs = performance.now();
    checkEcho(done);
    sentNs[done] = (sentMs - startMs) * 1e6;
    rttNs[done] = (backMs - sentMs) * 1e6;
    done++;
    Atomics.add(shared, ECHOES, 1);
    // Unless the run must end. On Linux within 60 to 130 µs of Python's `time.sleep`.
    Atomics.wait(shared, END_WORD, END.no, pauseMs);
    durationNs = (performance.now() - startMs) * 1e6;
  }
  const why = Atomics.load(shared, END_WORD);
  return {
    startedAtNs: startMs * 1e6 + originNs,
    sentNs: sentNs.slice(0, done),
    rttNs: rttNs.slice(0, done),
    durationNs,
    ended: done === messages ? 'complete' : why === END.budget ? 'budget' : 'stopped',
  };
}
