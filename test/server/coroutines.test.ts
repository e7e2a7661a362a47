/** The scheduler, in a world of scripted sockets: what it does between two calls needs no real ones. */
import { describe, expect, it } from 'vitest';
import { NOTHING } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';
import { acceptForEver } from '../../server/accept-for-ever.ts';
import { recvHeader, type ServerTask, type SystemCall, sendAll } from '../../server/calls.ts';
import { runCoroutines } from '../../server/coroutines.ts';
import type { Peer } from '../../server/peer.ts';

const LISTENER = 3;
const EMFILE = 24;
const EINVAL = 22;
const ECONNRESET = 104;
/** How long a peer may let its coroutine wait. */
const TIMEOUT_NS = 1e9;

/** What a socket's next call finds. */
type Find = number | Error;

/** Echoes messages of so many bytes. */
const echo = (messageBytes: number) =>
  function* (peer: Peer): ServerTask {
    const message = Buffer.alloc(messageBytes);
    while (yield* recvHeader(peer, message)) yield* sendAll(peer, message);
  };

/**
 * Runs the scheduler until the listener is shut down, at the latest after so many calls.
 *
 * @param find what accept, recv and send find
 * @param pollTakesNs how much time passes in each poll
 */
function run(
  find: (call: SystemCall, made: readonly SystemCall[]) => Find,
  { maxCalls = 1_000, pollTakesNs = 0, messageBytes = 1 } = {},
): SystemCall[] {
  const made: SystemCall[] = [];
  let nowNs = 0;
  const task = runCoroutines(acceptForEver(LISTENER), TIMEOUT_NS, echo(messageBytes));
  let step = task.next();
  while (step.done !== true) {
    const call = step.value;
    made.push(call);
    if (made.length > 2 * maxCalls) throw new Error('the listener has no turn');
    let found: Find = 0;
    if (call.call === 'poll') {
      // All are said to be ready: a call that finds nothing shows what the truth is.
      for (let i = 0; i < call.set.size; i++) call.set.pollfds[2 * i + 1] = -1;
      found = call.set.size;
      nowNs += pollTakesNs;
      call.set.noteTimes(nowNs - pollTakesNs, nowNs);
    } else if (made.length > maxCalls && call.call === 'accept') found = new SystemError('accept', EINVAL);
    else if (call.call !== 'close') found = find(call, made);
    step = found instanceof Error ? task.throw(found) : task.next(found);
  }
  return made;
}

/** Connections that come one after the other, then nothing. */
function accepting(...sockets: Find[]) {
  const left = [...sockets];
  return (call: SystemCall): Find => (call.call === 'accept' ? (left.shift() ?? NOTHING) : 1);
}

describe('coroutines', () => {
  it('make no call that can block, but poll', () => {
    const made = run(accepting(10, 11));
    expect(made.length).toBeGreaterThan(1_000);
    for (const call of made) expect(call.call === 'poll' || call.call === 'close' || 'nonblocking' in call).toBe(true);
  });

  it('take turns, also when one of them never has to wait', () => {
    const made = run(accepting(10, 11, 12));
    for (const socket of [10, 11, 12]) {
      const at = made.flatMap((call, i) => (call.call === 'recv' && call.peer.socket === socket ? [i] : []));
      const gaps = at.slice(1).map((i, n) => i - (at[n] as number));
      // Between the last recv of a turn and the first of the next: its send, the turns of two others, an accept, a poll.
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1 + 2 * 16 + 1 + 1 + 1);
    }
  });

  it('wait in poll without end when none can go on, and not at all when one can', () => {
    const timeouts = (find: (call: SystemCall, made: readonly SystemCall[]) => Find) =>
      new Set(run(find).flatMap((call) => (call.call === 'poll' ? [call.timeoutNs] : [])));
    const accept = accepting(10);
    const resting = timeouts((call, made) => {
      if (call.call === 'accept') return accept(call);
      return call.call === 'send' || made.filter((each) => each.call === 'recv').length === 1 ? 1 : NOTHING;
    });
    expect(resting).toEqual(new Set([0, Infinity]));
    expect(timeouts(accepting(10))).toEqual(new Set([0]));
  });

  it('end alone: an error of one closes its connection and is written down', () => {
    const accept = accepting(10, 11);
    const made = run((call) =>
      call.call === 'recv' && call.peer.socket === 10 ? new SystemError('recv', ECONNRESET) : accept(call),
    );
    const closed = made.filter((call) => call.call === 'close');
    expect(closed).toEqual([
      { call: 'close', socket: 10, error: 'recv: ECONNRESET' },
      { call: 'close', socket: 11, error: null },
    ]);
    expect(made.filter((call) => call.call === 'send' && call.peer.socket === 11).length).toBeGreaterThan(100);
  });

  it('wait for a peer no longer than its time-out, before its first byte and for all pieces of a message together', () => {
    const ends = (messageBytes: number, find: (call: SystemCall, made: readonly SystemCall[]) => Find) => {
      const accept = accepting(10);
      const made = run((call, made) => (call.call === 'accept' ? accept(call) : find(call, made)), {
        pollTakesNs: TIMEOUT_NS / 4,
        messageBytes,
      });
      return made.flatMap((call) => (call.call === 'close' ? [call.error] : []));
    };
    const late = ['the client kept the server waiting for 1 s'];
    expect(ends(1, () => NOTHING)).toEqual(late);
    // A byte with each poll: the fifth of a message comes in time, the sixth does not.
    const trickle = (call: SystemCall, made: readonly SystemCall[]) => {
      if (call.call === 'send') return call.from.length;
      return made.filter((each) => each.call === 'recv').length % 2 === 0 ? 1 : NOTHING;
    };
    expect(ends(4, trickle)).toEqual([null]);
    expect(ends(8, trickle)).toEqual(late);
    // It sends, and never takes its echo.
    expect(ends(4, (call) => (call.call === 'recv' ? call.into.length : NOTHING))).toEqual(late);
  });

  it('serve on while there is no descriptor for a new connection, and accept again after a pause', () => {
    const accept = accepting(10, NOTHING, new SystemError('accept', EMFILE), 11);
    const made = run((call) => (call.call === 'recv' && call.peer.socket === 10 ? NOTHING : accept(call)));
    expect(made).toContainEqual(expect.objectContaining({ call: 'poll', timeoutNs: 10_000_000 }));
    expect(made).toContainEqual(
      expect.objectContaining({ call: 'send', peer: expect.objectContaining({ socket: 11 }) }),
    );
  });

  it('are all closed, once each, when the listener is shut down', () => {
    const made = run(accepting(10, 11, 12));
    const closed = made.flatMap((call) => (call.call === 'close' ? [call.socket] : []));
    expect(closed).toEqual([10, 11, 12]);
  });
});
