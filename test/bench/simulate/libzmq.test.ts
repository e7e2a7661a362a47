import { expect, it } from 'vitest';
import { SimulatedZmqSocket } from '../../../bench/simulate/libzmq.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { Random } from '../../../bench/simulate/random.ts';
import { LinuxScheduler } from '../../../bench/simulate/scheduler.ts';
import { Machine } from '../../../lock/machines/virtual-time/machine.ts';

const MS = 1_000_000;

it('an I/O thread that is woken comes to the CPU of its waker, an owner stays on its own, be it asleep; only a connection displaces who wakes', async () => {
  const profile = await loadProfile('this-machine');
  const undisturbed = { ...profile.scheduler, interrupts: { ...profile.scheduler.interrupts, everyNs: 0 } };
  const machine = new Machine({ ...profile.lock, cold: undefined, timerOvershootNs: () => 0 });
  const scheduler = new LinuxScheduler(machine, 2, undisturbed, new Random(1, 'test'));
  const displaces: [string, boolean][] = [];
  machine.scheduler = {
    wake(thread, by, manner) {
      if (by !== null) displaces.push([thread.name, manner.displaces]);
      return scheduler.wake(thread, by, manner);
    },
    leave: (thread) => scheduler.leave(thread),
    onEvent: (what, generation) => scheduler.onEvent(what, generation),
  };
  const server = new SimulatedZmqSocket(machine, profile, 'router');
  const client = new SimulatedZmqSocket(machine, profile, 'req');
  client.connect(server);
  const owner = machine.start('server', function* (thread) {
    yield* server.receive(thread);
    machine.stopped = true;
  });
  const serverIo = machine.start("the server's I/O thread", (thread) => server.io(thread));
  const clientIo = machine.start("the client's I/O thread", (thread) => client.io(thread));
  const sender = machine.start('client', function* (thread) {
    // Longer than any CPU polls.
    yield thread.sleepFor(10 * MS, 1);
    yield* client.send(thread, [new Uint8Array(8)]);
    yield thread.sleep();
  });
  machine.run(5 * MS);
  // As a message before may have left them.
  for (const thread of [owner, serverIo, clientIo, sender]) {
    thread.cpu = thread === sender ? 1 : 0;
    thread.cpuNs = 1;
  }
  expect(machine.run(Infinity)).toBe('stopped');
  expect([sender, clientIo, serverIo, owner].map(({ cpu }) => cpu)).toEqual([1, 1, 1, 0]);
  expect(displaces).toEqual([
    [clientIo.name, false],
    [serverIo.name, true],
    [owner.name, false],
  ]);
});
