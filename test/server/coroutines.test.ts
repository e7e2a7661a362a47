/** The scheduler, in a world of scripted sockets: what it does between two calls needs no real ones. */
import { describe, expect, it } from 'vitest';
import { NOTHING } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';
import { acceptForEver } from '../../server/accept-for-ever.ts';
import { recvHeader, type SystemCall, sendAll } from '../../server/calls.ts';
import { runCoroutines } from '../../server/coroutines.ts';

const LISTENER = 3;
const EMFILE = 24;
const EINVAL = 22;
const ECONNRESET = 104;

/** What a socket's next call finds. */
type Find = number | Error;

/** Echoes bytes one by one. */
function* echoBytes(socket: number) {
  const byte = Buffer.alloc(1);
  while (yield* recvHeader(socket, byte)) yield* sendAll(socket, byte);
}

/**
 * Runs the scheduler until the listener is shut down, at the latest after so many calls.
 *
 * @param find what accept, recv and send find
 */
function run(find: (call: SystemCall, made: readonly SystemCall[]) => Find, maxCalls = 1_000): SystemCall[] {
  const made: SystemCall[] = [];
  const task = runCoroutines(acceptForEver(LISTENER), echoBytes);
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
      const at = made.flatMap((call, i) => (call.call === 'recv' && call.socket === socket ? [i] : []));
      const gaps = at.slice(1).map((i, n) => i - (at[n] as number));
      // Between the last recv of a turn and the first of the next: its send, the turns of two others, an accept, a poll.
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1 + 2 * 16 + 1 + 1 + 1);
    }
  });

  it('wait in poll without end when none can go on, and not at all when one can', () => {
    const timeouts = (find: (call: SystemCall) => Find) =>
      new Set(run(find).flatMap((call) => (call.call === 'poll' ? [call.timeoutNs] : [])));
    const accept = accepting(10);
    const idle = timeouts((call) => (call.call === 'accept' ? accept(call) : NOTHING));
    expect(idle).toEqual(new Set([0, Infinity]));
    expect(timeouts(accepting(10))).toEqual(new Set([0]));
  });

  it('end alone: an error of one closes its connection and is written down', () => {
    const accept = accepting(10, 11);
    const made = run((call) =>
      call.call === 'recv' && call.socket === 10 ? new SystemError('recv', ECONNRESET) : accept(call),
    );
    const closed = made.filter((call) => call.call === 'close');
    expect(closed).toEqual([
      { call: 'close', socket: 10, error: 'recv: ECONNRESET' },
      { call: 'close', socket: 11, error: null },
    ]);
    expect(made.filter((call) => call.call === 'send' && call.socket === 11).length).toBeGreaterThan(100);
  });

  it('serve on while there is no descriptor for a new connection, and accept again after a pause', () => {
    const accept = accepting(10, NOTHING, new SystemError('accept', EMFILE), 11);
    const made = run((call) => (call.call === 'recv' && call.socket === 10 ? NOTHING : accept(call)));
    expect(made).toContainEqual(expect.objectContaining({ call: 'poll', timeoutNs: 10_000_000 }));
    expect(made).toContainEqual(expect.objectContaining({ call: 'send', socket: 11 }));
  });

  it('are all closed, once each, when the listener is shut down', () => {
    const made = run(accepting(10, 11, 12));
    const closed = made.flatMap((call) => (call.call === 'close' ? [call.socket] : []));
    expect(closed).toEqual([10, 11, 12]);
  });
});
