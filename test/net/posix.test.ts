import { afterEach, describe, expect, it } from 'vitest';
import { accept, close, connect, listen, portOf, recv, type Socket, send, shutdown } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';

const open: Socket[] = [];
const opened = (socket: Socket) => {
  open.push(socket);
  return socket;
};
afterEach(() => {
  for (const socket of open.splice(0)) close(socket);
});

/** Two ends of a loopback connection, in one thread: the kernel completes it before it is accepted. */
function pair(): [Socket, Socket] {
  const listener = opened(listen({ host: '127.0.0.1', port: 0 }));
  const near = opened(connect({ host: '127.0.0.1', port: portOf(listener) }));
  return [near, opened(accept(listener))];
}

describe('a connection', () => {
  it('carries bytes as they are, in both directions', () => {
    const [near, far] = pair();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      expect(send(from, bytes)).toBe(256);
      const into = new Uint8Array(300);
      expect(recv(to, into)).toBe(256);
      expect(into.subarray(0, 256)).toEqual(bytes);
    }
  });

  it('ends with 0 bytes when the other end is shut down, after what was sent before', () => {
    const [near, far] = pair();
    send(near, Buffer.from('last'));
    shutdown(near);
    const into = new Uint8Array(10);
    expect(recv(far, into)).toBe(4);
    expect(recv(far, into)).toBe(0);
  });

  it('can be shut down twice', () => {
    const [near, far] = pair();
    shutdown(near);
    shutdown(near);
    expect(recv(far, new Uint8Array(1))).toBe(0);
  });

  it('sends to a peer that is gone as an error, not as the end of the process', () => {
    const [near, far] = pair();
    shutdown(near);
    expect(() => send(near, Buffer.from('x'))).toThrow('send: EPIPE');
    expect(recv(far, new Uint8Array(1))).toBe(0);
  });
});

describe('an error', () => {
  const failure = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('names the call and the reason', () => {
    const listener = opened(listen({ host: '127.0.0.1', port: 0 }));
    const taken = failure(() => listen({ host: '127.0.0.1', port: portOf(listener) }));
    expect(taken).toBeInstanceOf(SystemError);
    expect(taken).toMatchObject({ call: 'bind', code: 'EADDRINUSE', message: 'bind: EADDRINUSE' });
  });

  it('of a port where nobody listens is ECONNREFUSED', () => {
    const listener = listen({ host: '127.0.0.1', port: 0 });
    const port = portOf(listener);
    close(listener);
    expect(failure(() => connect({ host: '127.0.0.1', port }))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('of a descriptor that is none is EBADF', () => {
    expect(failure(() => recv(-1, new Uint8Array(1)))).toMatchObject({ call: 'recv', code: 'EBADF' });
  });
});
