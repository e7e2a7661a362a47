import { describe, expect, it, vi } from 'vitest';
import { recvExactly, sendAll } from '../../client/stream.ts';
import { recv, send } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';

vi.mock(import('../../net/posix.ts'), { spy: true });

const ECONNRESET = 104;
const EPIPE = 32;
const EBADF = 9;
const calls = { recv: vi.mocked(recv), send: vi.mocked(send) };
const failing = (call: keyof typeof calls, errno: number) =>
  calls[call].mockImplementationOnce(() => {
    throw new SystemError(call, errno);
  });
const bytes = new Uint8Array(4);

describe('a server that goes away is told of in the same words', () => {
  it.each([
    ['reset while the client reads', 'recv', ECONNRESET, () => recvExactly(0, bytes)],
    ['reset while the client writes', 'send', ECONNRESET, () => sendAll(0, bytes)],
    ['reset before the client writes', 'send', EPIPE, () => sendAll(0, bytes)],
  ] as const)('%s', (_, call, errno, transfer) => {
    failing(call, errno);
    expect(transfer).toThrow(/^the server ended the connection: (recv|send): E[A-Z]+$/);
  });

  it('ended in the midst of an echo', () => {
    calls.recv.mockReturnValueOnce(3).mockReturnValueOnce(0);
    expect(() => recvExactly(0, bytes)).toThrow(/^the server ended the connection after 3 of 4 bytes$/);
  });
});

it('what else a call meets is no end of the connection', () => {
  failing('recv', EBADF);
  expect(() => recvExactly(0, bytes)).toThrow(/^recv: EBADF$/);
});
