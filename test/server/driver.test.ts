/** How a thread of a server goes from call to call, by a clock of the test's. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createLockState, GlobalLock } from '../../lock/global-lock.ts';
import { Interpreter } from '../../lock/interpreter.ts';
import freeThreaded from '../../lock/policies/free-threaded.ts';
import py32 from '../../lock/policies/py32.ts';
import type { Policy } from '../../lock/policy.ts';
import {
  type AsynchronousTask,
  type MessageSocket,
  type ServerTask,
  toolkit,
  zmqReceive,
  zmqSend,
} from '../../server/calls.ts';

const goTheWay = vi.fn();

// Other files of tests have loaded the driver with the sockets as they are.
let driver: typeof import('../../server/driver.ts');
beforeAll(async () => {
  vi.resetModules();
  vi.doMock('../../net/posix.ts', async (original) => ({ ...(await original()), goTheWay }));
  driver = await import('../../server/driver.ts');
});
afterAll(() => {
  vi.doUnmock('../../net/posix.ts');
  vi.resetModules();
});

let nowMs: number;
beforeEach(() => {
  nowMs = 1;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => vi.restoreAllMocks());

class ClockedInterpreter extends Interpreter {
  override nativeWork(durationNs: number): void {
    nowMs += durationNs / 1e6;
  }
}

function threadUnder(policy: Policy) {
  const lock = new GlobalLock(policy, { interval: 5e6 }, createLockState(policy), 1);
  return {
    lock,
    interpreter: new ClockedInterpreter(lock, 200),
    workPerCallNs: 0,
    keepsLockOnNonblocking: false,
    log: null,
    startThread: () => {},
    noteConnectionError: () => {},
  };
}

/** Makes calls of these lengths, and says how often the way of a call had been gone when each was over. */
function waysGone(policy: Policy, callsMs: readonly number[]): number[] {
  goTheWay.mockClear();
  const ways: number[] = [];
  function* task(): ServerTask {
    for (const ms of callsMs) {
      yield* toolkit(ms * 1e6);
      ways.push(goTheWay.mock.calls.length);
    }
  }
  driver.drive(task(), threadUnder(policy));
  return ways;
}

/**
 * Echoes messages that come after so long, and says what the socket was asked for.
 *
 * @param closesWithLast whether the socket is closed as the last one is received
 */
async function askedOfSocket(policy: Policy, receivesMs: readonly number[], closesWithLast = false): Promise<string[]> {
  const asked: string[] = [];
  const comeAfterMs = [...receivesMs];
  let closed = false;
  const socket: MessageSocket = {
    get closed() {
      return closed;
    },
    async receive() {
      const ms = comeAfterMs.shift();
      closed = ms === undefined || (closesWithLast && comeAfterMs.length === 0);
      if (ms === undefined) throw new Error('interrupted by the end of the socket');
      nowMs += ms;
      asked.push('receive');
      return [new Uint8Array(1), new Uint8Array(2)];
    },
    send: (frames) => asked.push(`send ${frames.length}`),
    goTheWay: () => asked.push('way'),
  };
  function* task(): AsynchronousTask {
    const frames: Uint8Array[] = [];
    while ((yield* zmqReceive(socket, frames)) > 0) yield* zmqSend(socket, frames);
  }
  await driver.driveAsynchronously(task(), threadUnder(policy));
  return asked;
}

it('goes the way of a call once more before the first call and after one in which it slept, and after no other', () => {
  const shortMs = driver.COLD_AFTER_MS / 2;
  const longMs = driver.COLD_AFTER_MS * 2;
  expect(waysGone(py32, [shortMs, shortMs, longMs, shortMs, shortMs])).toEqual([1, 1, 1, 2, 2]);
});

it('does not where many hold the lock, and nothing depends on how long a call takes', () => {
  expect(waysGone(freeThreaded, [driver.COLD_AFTER_MS * 2, driver.COLD_AFTER_MS * 2])).toEqual([0, 0]);
});

it('goes the way of a send before the one that counts, where the message was waited for, and ends with its socket', async () => {
  const shortMs = driver.COLD_AFTER_MS / 2;
  const longMs = driver.COLD_AFTER_MS * 2;
  expect(await askedOfSocket(py32, [longMs, shortMs])).toEqual(['receive', 'way', 'send 2', 'receive', 'send 2']);
  expect(await askedOfSocket(freeThreaded, [longMs])).toEqual(['receive', 'send 2']);
});

it('sends nothing that came as the socket was closed', async () => {
  const longMs = driver.COLD_AFTER_MS * 2;
  expect(await askedOfSocket(py32, [longMs, longMs], true)).toEqual(['receive', 'way', 'send 2', 'receive']);
});
