import { describe, expect, it, onTestFinished } from 'vitest';
import { recvExactly, sendAll } from '../../client/stream.ts';
import { accept, close, connect, listen, portOf, reset, type Socket, send } from '../../net/posix.ts';

const bytes = new Uint8Array(4);

/** A connection over the loopback interface: the client's end, and the server's, which the test closes. */
function connection(): { client: Socket; server: Socket } {
  const listener = listen({ host: '127.0.0.1', port: 0 });
  const client = connect({ host: '127.0.0.1', port: portOf(listener) });
  onTestFinished(() => close(client));
  const server = accept(listener);
  close(listener);
  return { client, server };
}

describe('a server that goes away is told of in the same words', () => {
  it('reset while the client reads', () => {
    const { client, server } = connection();
    reset(server);
    expect(() => recvExactly(client, bytes)).toThrow(/^the server ended the connection: recv: ECONNRESET$/);
  });

  it('reset while the client writes, and before it writes', () => {
    const { client, server } = connection();
    reset(server);
    // The kernel tells of a reset once; from then on there is nothing to write into.
    expect(() => sendAll(client, bytes)).toThrow(/^the server ended the connection: send: ECONNRESET$/);
    expect(() => sendAll(client, bytes)).toThrow(/^the server ended the connection: send: EPIPE$/);
  });

  it('ended in the midst of an echo', () => {
    const { client, server } = connection();
    send(server, bytes.subarray(1));
    close(server);
    expect(() => recvExactly(client, bytes)).toThrow(/^the server ended the connection after 3 of 4 bytes$/);
  });
});

it('what else a call meets is no end of the connection', () => {
  const noSocket = -1;
  expect(() => recvExactly(noSocket, bytes)).toThrow(/^recv: EBADF$/);
  expect(() => sendAll(noSocket, bytes)).toThrow(/^send: EBADF$/);
});
