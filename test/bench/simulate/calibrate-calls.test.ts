import { expect, it } from 'vitest';
import { percentile, sortSamples } from '../../../bench/figures/statistics.ts';
import { coldCosts, offerNs, socketCosts } from '../../../bench/simulate/calibrate-calls.ts';
import { createLockState, GlobalLock } from '../../../lock/global-lock.ts';
import { Interpreter, measureLeafNs } from '../../../lock/interpreter.ts';
import { DOINGS } from '../../../lock/machines/virtual-time/machine.ts';
import py32 from '../../../lock/policies/py32.ts';

it('all that a server does for a message is measured after a sleep, but what takes another thread, or ZeroMQ', async () => {
  const costs = await coldCosts(250, 4 + 8192);
  expect(Object.keys(costs).sort()).toEqual(
    DOINGS.filter((doing) => !['wake', 'offer', 'zmqWay', 'zmqSend'].includes(doing)).sort(),
  );
  const [first, ...others] = Object.values(costs).map(({ extraNs }) => extraNs);
  expect(first?.length).toBeGreaterThan(0);
  expect(others.every(({ length }) => length === first?.length)).toBe(true);
  expect([first ?? [], ...others].flat().every((ns) => ns >= 0)).toBe(true);
  expect(costs.way.warmNs).toBeGreaterThan(0);
  expect(Number.isInteger(costs.way.warmNs)).toBe(true);
});

it('three waits in four take more after a sleep than one right after another', async () => {
  const { wait } = await coldCosts(250, 4 + 8192);
  const extras = wait.extraNs;
  expect(extras.every((ns) => ns >= 0)).toBe(true);
  expect(percentile(sortSamples(extras), 25)).toBeGreaterThan(0);
});

it('a send, with all that the kernel does in it, takes longer than a call that finds nothing', async () => {
  const { sendNs, nothingNs, ...others } = await socketCosts();
  expect(sendNs).toBeGreaterThan(nothingNs);
  expect(Object.keys(others).sort()).toEqual(['perKibNs', 'pollNs', 'recvNs']);
});

it('an offer takes about as long whenever it is measured, and less than the four leaves before it', () => {
  const leafNs = measureLeafNs(new Interpreter(new GlobalLock(py32, { interval: 5e6 }, createLockState(py32), 1), 300));
  const offersNs = Array.from({ length: 5 }, () => offerNs(300, 1));
  expect(Math.min(...offersNs)).toBeGreaterThan(0);
  // The machine may be half as fast meanwhile.
  expect(Math.max(...offersNs)).toBeLessThan(3 * Math.min(...offersNs));
  expect(Math.max(...offersNs)).toBeLessThan(4 * leafNs);
});
