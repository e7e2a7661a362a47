import { expect, it } from 'vitest';
import { type Exchange, runClient, type Trips } from '../../../bench/simulate/client.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { Random } from '../../../bench/simulate/random.ts';
import { LinuxScheduler } from '../../../bench/simulate/scheduler.ts';
import { Machine } from '../../../lock/machines/virtual-time/machine.ts';

const MS = 1_000_000;
const WARMUP = 3;
const MESSAGES = 1_000;

it('a client warms up, settles for a quarter of a second at the pace of the run, and counts nothing before that', async () => {
  const profile = await loadProfile('this-machine');
  const machine = new Machine({ ...profile.lock, cold: undefined, contention: undefined, timerOvershootNs: () => 0 });
  machine.scheduler = new LinuxScheduler(machine, 1, profile.scheduler, new Random(1, 'test'));
  const payload = new Uint8Array(8);
  let exchanged = 0;
  const exchange: Exchange = {
    payload,
    echoed: () => payload,
    connect: () => {},
    *run(thread) {
      exchanged++;
      yield thread.run(MS);
    },
  };
  const trips: Trips = { startedAtNs: 0, durationNs: 0, ended: 'complete', sentNs: [], rttNs: [] };
  const pace = { messages: MESSAGES, warmupMessages: WARMUP, delayNs: MS, budgetNs: Infinity };
  const client = machine.start('client', (thread) => runClient(thread, { machine, profile, ...pace, trips }, exchange));
  const phase = () => {
    const before = exchanged;
    expect(machine.run(Infinity)).toBe('stopped');
    return exchanged - before;
  };

  expect(phase()).toBe(WARMUP);
  machine.wake(client, 0, null);
  const settled = phase();
  // One every two milliseconds, and a little.
  expect(settled).toBeGreaterThan(100);
  expect(settled).toBeLessThan(130);
  expect(trips.rttNs).toEqual([]);
  const beganNs = machine.nowNs;
  machine.wake(client, 0, null);
  expect(phase()).toBe(MESSAGES);
  expect(trips.rttNs.length).toBe(MESSAGES);
  expect(trips.startedAtNs - beganNs).toBeLessThan(MS);
});
