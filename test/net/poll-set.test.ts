import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PollSet, READABLE, WRITABLE } from '../../net/poll-set.ts';
import {
  accept,
  close,
  connect,
  listen,
  NOTHING,
  poll,
  portOf,
  recv,
  type Socket,
  send,
  shutdown,
  tryAccept,
  tryRecv,
  trySend,
} from '../../net/posix.ts';

const LOOPBACK = '127.0.0.1';

function opened(socket: Socket): Socket {
  onTestFinished(() => close(socket));
  return socket;
}

function connectedPair(): [Socket, Socket] {
  const listener = opened(listen({ host: LOOPBACK, port: 0 }));
  const client = opened(connect({ host: LOOPBACK, port: portOf(listener) }));
  return [client, opened(accept(listener))];
}

describe('a poll set', () => {
  it('gives back those that are ready, in the order in which they came, and keeps the others', () => {
    const socket = fc.nat({ max: 100_000 });
    const round = fc.record({ added: fc.array(socket, { maxLength: 50 }), ready: fc.func(fc.boolean()) });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 8 }), (rounds) => {
        const set = new PollSet<number>();
        let model: number[] = [];
        for (const { added, ready } of rounds) {
          for (const each of added) set.add(each, READABLE, each);
          model.push(...added);
          expect(set.size).toBe(model.length);
          for (const [i, each] of model.entries()) {
            expect(set.pollfds[2 * i]).toBe(each);
            expect(set.pollfds[2 * i + 1]).toBe(READABLE);
            if (ready(each)) set.pollfds[2 * i + 1] = READABLE | (0x10 << 16);
          }
          expect(set.takeReady()).toEqual(model.filter((each) => ready(each)));
          model = model.filter((each) => !ready(each));
        }
      }),
    );
  });

  it('is told by poll which sockets can be read or written, and which have ended', () => {
    const [[a, b], [c, d], [e]] = [connectedPair(), connectedPair(), connectedPair()];
    const set = new PollSet<string>();
    set.add(a, READABLE, 'has bytes');
    set.add(c, READABLE, 'has an end');
    set.add(e, READABLE, 'has nothing');
    set.add(b, WRITABLE, 'has room');
    send(b, Buffer.of(1));
    shutdown(d);
    // The bytes and the end travel by themselves: each is waited for.
    const ready: string[] = [];
    while (ready.length < 3 && poll(set, 5e9) > 0) ready.push(...set.takeReady());
    expect(ready.sort()).toEqual(['has an end', 'has bytes', 'has room']);
    expect(poll(set, 0)).toBe(0);
    expect(poll(set, 1)).toBe(0);
  });
});

describe('a call that does not block', () => {
  it('says that there is nothing, and otherwise does what the blocking one does', () => {
    const listener = opened(listen({ host: LOOPBACK, port: 0 }));
    expect(tryAccept(listener)).toBe(NOTHING);
    const client = opened(connect({ host: LOOPBACK, port: portOf(listener) }));
    const connection = opened(tryAccept(listener));
    const into = Buffer.alloc(100);
    expect(tryRecv(connection, into)).toBe(NOTHING);
    send(client, Buffer.from('hello'));
    expect(recv(connection, into)).toBe(5);
    const bulk = Buffer.alloc(2 ** 20);
    let sentBytes = 0;
    for (let sent = 0; sent !== NOTHING; sent = trySend(connection, bulk)) sentBytes += sent;
    expect(sentBytes).toBeGreaterThan(0);
    shutdown(client);
  });
});
