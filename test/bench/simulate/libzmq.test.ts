import { expect, it } from 'vitest';
import { SimulatedZmqSocket } from '../../../bench/simulate/libzmq.ts';
import { loadProfile } from '../../../bench/simulate/profile.ts';
import { Random } from '../../../bench/simulate/random.ts';
import { LinuxScheduler } from '../../../bench/simulate/scheduler.ts';
import { Machine } from '../../../lock/machines/virtual-time/machine.ts';

const MS = 1_000_000;

/** Two sockets, whose threads sleep, each on a CPU; the client has longer than any CPU polls. */
async function socketsOn(cpus: Readonly<Record<'server' | 'serverIo' | 'clientIo' | 'client', number>>, bytes: number) {
  const profile = await loadProfile('this-machine');
  const undisturbed = { ...profile.scheduler, interrupts: { ...profile.scheduler.interrupts, everyNs: 0 } };
  const machine = new Machine({ ...profile.lock, cold: undefined, contention: undefined, timerOvershootNs: () => 0 });
  const scheduler = new LinuxScheduler(machine, 2, undisturbed, new Random(1, 'test'));
  const wakes: string[] = [];
  machine.scheduler = {
    wake(thread, by, through) {
      if (by !== null) wakes.push(`${by.name} wakes ${thread.name} through the ${through}`);
      return scheduler.wake(thread, by, through);
    },
    leave: (thread) => scheduler.leave(thread),
    onEvent: (what, generation) => scheduler.onEvent(what, generation),
  };
  const sockets = {
    server: new SimulatedZmqSocket(machine, profile, 'router'),
    client: new SimulatedZmqSocket(machine, profile, 'req'),
  };
  sockets.client.connect(sockets.server);
  let received: readonly Uint8Array[] = [];
  const threads = {
    server: machine.start('server', function* (thread) {
      received = yield* sockets.server.receive(thread);
      machine.stopped = true;
    }),
    serverIo: machine.start('serverIo', (thread) => sockets.server.io(thread)),
    clientIo: machine.start('clientIo', (thread) => sockets.client.io(thread)),
    client: machine.start('client', function* (thread) {
      yield thread.sleepFor(10 * MS, 1);
      yield* sockets.client.send(thread, [new Uint8Array(0), new Uint8Array(bytes)]);
      yield thread.sleep();
    }),
  };
  machine.run(5 * MS);
  // As a message before may have left them.
  for (const name of Object.keys(cpus) as (keyof typeof cpus)[])
    Object.assign(threads[name], { cpu: cpus[name], cpuNs: 1 });
  expect(machine.run(Infinity)).toBe('stopped');
  return { wakes, received, cpuOf: (name: keyof typeof threads) => threads[name].cpu };
}

it.each([
  [8, 1],
  [8_192, 2],
])(
  'a message of %d bytes wakes the other I/O thread %d times, and its threads come to the CPU of who sent it, but for the server',
  async (bytes, batches) => {
    const { wakes, received, cpuOf } = await socketsOn({ server: 0, serverIo: 0, clientIo: 0, client: 1 }, bytes);
    expect(received.map(({ length }) => length)).toEqual([5, 0, bytes]);
    expect(wakes).toEqual([
      'client wakes clientIo through the eventfd',
      ...Array.from({ length: batches }, () => 'clientIo wakes serverIo through the connection'),
      'serverIo wakes server through the eventfd',
    ]);
    // Where the server's I/O thread was woken its waker waits to go on: the server is sent to a CPU that is idle.
    expect([cpuOf('clientIo'), cpuOf('serverIo'), cpuOf('server')]).toEqual([1, 1, 0]);
  },
);
