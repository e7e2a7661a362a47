/** The recording of a server that runs, as one who looks on sees it. */
import { expect, it } from 'vitest';
import { EVENT } from '../../lock/timeline.ts';
import { startClient, startServer } from '../processes.ts';

const machineNs = () => Number(process.hrtime.bigint());

it('whoever looks on sees what the threads have done since, on the clock of the machine', async () => {
  const server = await startServer('blocking', { records: true });
  const client = await startClient({ transport: 'framed', port: server.port });
  await server.spin(1);
  const beforeNs = machineNs();
  await client.run(20);
  const timeline = await server.timeline(beforeNs);
  expect(timeline.fromNs).toBe(beforeNs);
  expect(timeline.untilNs).toBeLessThanOrEqual(machineNs());
  expect(timeline.threads.map(({ name }) => name)).toEqual(['server', 'connection 1', 'CPU thread 1']);
  const [, served] = timeline.threads;
  const calls = served?.event.flatMap((word, i) => (word === EVENT.call ? [timeline.calls[served.by[i] ?? 0]] : []));
  // Header, payload and echo of each; the header of the next.
  expect(calls?.filter((call) => call === 'send')).toHaveLength(20);
  expect(calls?.filter((call) => call === 'recv').length).toBeGreaterThanOrEqual(40);

  const later = await server.timeline(machineNs());
  for (const { atNs } of later.threads) expect(atNs.length).toBeLessThan(100);
});

it.each(['blocking', 'multiprocessing'])('%s: the thread that accepts is called the server', async (name) => {
  const server = await startServer(name, { records: true });
  const transport = name === 'multiprocessing' ? 'multiprocessing' : 'framed';
  const clients = [
    await startClient({ transport, port: server.port }),
    await startClient({ transport, port: server.port }),
  ];
  for (const client of clients) await client.run(5);
  const { threads, calls } = await server.timeline(0);
  const callsOf = (name: string) => {
    const thread = threads.find((each) => each.name === name);
    return new Set(thread?.event.flatMap((word, i) => (word === EVENT.call ? [calls[thread.by[i] ?? 0]] : [])));
  };
  expect(callsOf('server')).toContain('accept');
  for (const connection of ['connection 1', 'connection 2']) {
    expect(callsOf(connection)).toContain('send');
    expect(callsOf(connection)).not.toContain('accept');
  }
});

it('one that does not record says so', async () => {
  const server = await startServer('blocking');
  await expect(server.timeline(0)).rejects.toThrow(/was not told to record/);
});
