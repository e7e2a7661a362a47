/** One CPU, two threads, no chance: the times can be added up by hand. */
import { expect, it } from 'vitest';
import type { Profile } from '../../../bench/simulate/profile.ts';
import { Random } from '../../../bench/simulate/random.ts';
import { LinuxScheduler } from '../../../bench/simulate/scheduler.ts';
import { Machine } from '../../../lock/machines/virtual-time/machine.ts';
import { STATE, type VirtualThread } from '../../../lock/machines/virtual-time/thread.ts';

const MS = 1_000_000;
const always = (ns: number): [number, number][] => [
  [0, ns],
  [1, ns],
];

type Idle = NonNullable<Profile['scheduler']['idle']>;
type Fairness = Profile['scheduler']['fairness'];

const CFS: Fairness = { kind: 'cfs', wakeupGranularityNs: MS, sleeperCreditNs: 0 };

function machineOf(
  cpus: number,
  changes: { everyNs?: number; switchNs?: number; queueNs?: number; idle?: Idle; fairness?: Fairness } = {},
) {
  const machine = new Machine({
    atomicNs: 1,
    lineNs: 0,
    offerNs: 0,
    futexCallNs: 1,
    futexWakeNs: 1,
    futexWaitNs: 1,
    timerOvershootNs: () => 0,
  });
  const costs = {
    wakeIdleNs: always(20_000),
    preemptNs: always(2_000),
    switchNs: changes.switchNs ?? 0,
    queueNs: changes.queueNs,
    sliceNs: 3 * MS,
    tickNs: MS,
    interrupts: { everyNs: changes.everyNs ?? 0, durationNs: always(MS / 2) },
    fairness: changes.fairness ?? CFS,
    idle: changes.idle,
  };
  const scheduler = new LinuxScheduler(machine, cpus, costs, new Random(1, 'test'));
  machine.scheduler = scheduler;
  const ends: Record<string, number> = {};
  const run = (name: string, ns: number, sleepNs = 0) =>
    machine.start(name, function* (thread) {
      if (sleepNs > 0) yield thread.sleepFor(sleepNs, 1);
      yield thread.run(ns);
      ends[name] = machine.nowNs;
    });
  return { machine, scheduler, ends, run };
}

it('two threads of one CPU take turns by slices', () => {
  const { machine, ends, run } = machineOf(1);
  run('a', 10 * MS);
  run('b', 10 * MS);
  machine.run(Infinity);
  // a 0–3, b 3–9 (at 6 both have had 3), a 9–15, b 15–19, a 19–20.
  expect(ends).toEqual({ b: 19 * MS, a: 20 * MS });
});

it('two threads of two CPUs do not', () => {
  const { machine, ends, run } = machineOf(2);
  run('a', 10 * MS);
  run('b', 10 * MS);
  machine.run(Infinity);
  expect(ends).toEqual({ a: 10 * MS, b: 10 * MS });
});

it('a slice ends at a tick', () => {
  const { machine, ends, run } = machineOf(1, { switchNs: 1_000 });
  run('a', 5 * MS);
  run('b', MS);
  machine.run(Infinity);
  // a 0–3 by its slice and the tick at 3; b 3.001–4.001; a again 4.002–6.002.
  expect(ends).toEqual({ b: 4 * MS + 1_000, a: 6 * MS + 2_000 });
});

it('a thread that slept displaces one that has had more of the CPU', () => {
  const { machine, ends, run } = machineOf(1, { switchNs: 1_000 });
  run('sleeper', MS, 5 * MS);
  run('worker', 10 * MS);
  machine.run(Infinity);
  // The sleeper gives the CPU up at once. When it wakes, at 5 ms, it does not wait for a tick.
  expect(ends['sleeper']).toBe(5 * MS + 1_000 + MS);
  expect(ends['worker']).toBe(10 * MS + MS + 3 * 1_000);
});

it.each([
  ['after the latency, by a thread on another CPU', 1, 2_000],
  ['at once, by the very thread', 0, 0],
])('a thread displaces another when it is woken, %s', (_, wakerCpu, latencyNs) => {
  const { machine } = machineOf(2);
  let startedAtNs = 0;
  const sleeper = machine.start('sleeper', function* (thread) {
    yield thread.sleep();
    startedAtNs = machine.nowNs;
  });
  machine.run(0);
  const busy = [0, 1].map((cpu) =>
    machine.start(`busy on CPU ${cpu}`, function* (thread) {
      yield thread.run(5 * MS);
      if (cpu === wakerCpu) machine.wake(sleeper, 0, thread);
      yield thread.run(5 * MS);
    }),
  );
  const beganNs = machine.nowNs;
  machine.run(Infinity);
  expect([sleeper, ...busy].map(({ cpu }) => cpu)).toEqual([0, 0, 1]);
  expect(startedAtNs - beganNs).toBe(5 * MS + latencyNs);
});

it('an idle CPU fetches a thread that waits behind another, at the next tick', () => {
  const wake = { callNs: always(1_000), leadNs: always(4_000) };
  // To who wakes a thread an idle CPU that sleeps is none.
  const idle: Idle = {
    polling: { firstNs: 1, maxNs: 1 },
    polled: wake,
    entering: [],
    asleep: [{ idleNs: 0, ...wake }],
  };
  const { machine, ends, run } = machineOf(2, { idle });
  const sleeper = machine.start('sleeper', function* (thread) {
    yield thread.run(1);
    yield thread.sleepFor(2.5 * MS - 1, 1);
    yield thread.run(5 * MS);
    ends['sleeper'] = machine.nowNs;
  });
  machine.run(MS / 10);
  const worker = run('worker', 20 * MS);
  machine.run(Infinity);
  expect([sleeper.cpu, worker.cpu]).toEqual([0, 1]);
  expect(ends['sleeper']).toBe(7.5 * MS);
  // From 0.1 to 2.5, and from the tick at 3 on.
  expect(ends['worker']).toBe(3 * MS + 5_000 + (20 - 2.4) * MS);
});

it('what waking a CPU takes its waker has all interruptions in it', () => {
  const callNs = 10 * MS;
  const wake = { callNs: always(callNs), leadNs: always(0) };
  const idle: Idle = {
    polling: { firstNs: 1, maxNs: 1 },
    polled: wake,
    entering: [],
    asleep: [{ idleNs: 0, ...wake }],
  };
  const { machine } = machineOf(2, { idle, everyNs: MS / 10 });
  const sleeper = machine.start('sleeper', function* (thread) {
    yield thread.sleep();
  });
  const tookNs: number[] = [];
  machine.start('waker', function* (thread) {
    for (const make of [() => machine.wake(sleeper, 0, thread), () => callNs]) {
      const sinceNs = machine.nowNs;
      yield thread.run(make() ?? 0);
      tookNs.push(machine.nowNs - sinceNs);
    }
  });
  machine.run(Infinity);
  expect(tookNs[0]).toBe(callNs);
  expect(tookNs[1]).toBeGreaterThan(callNs);
});

it('a thread that is woken goes to an idle CPU, and is there after the latency', () => {
  const { machine, ends, run } = machineOf(2);
  const sleeper = machine.start('sleeper', function* (thread) {
    yield thread.sleep();
    ends['sleeper'] = machine.nowNs;
  });
  machine.start('waker', function* (thread) {
    yield thread.run(MS);
    machine.wake(sleeper, 0, thread);
    yield thread.run(MS);
  });
  run('other', MS / 10);
  machine.run(Infinity);
  expect(ends['sleeper']).toBe(MS + 20_000);
});

it('an interrupt takes its time from whoever runs, and CPU time adds up', () => {
  const { machine, scheduler, ends, run } = machineOf(1, { everyNs: 2 * MS });
  const thread = run('a', 20 * MS);
  machine.run(Infinity);
  expect(scheduler.cpuNsOf(thread)).toBe(20 * MS);
  const interrupts = ((ends['a'] ?? 0) - 20 * MS) / (MS / 2);
  expect(Number.isInteger(interrupts)).toBe(true);
  expect(interrupts).toBeGreaterThan(3);
});

it('a thread that is queued has its turn, however often the one before it is interrupted', () => {
  const { machine, ends, run } = machineOf(1, { everyNs: MS });
  run('interrupted', 100 * MS);
  run('queued', MS);
  machine.run(Infinity);
  // No 3 ms pass without an interrupt: a slice that began anew after each would never be over.
  expect(ends['queued']).toBeLessThan(20 * MS);
  expect(ends['interrupted']).toBeGreaterThan(100 * MS);
});

it('a CPU that its thread has just left is back the sooner the less far it has come, and learns nothing from that', () => {
  const US = 1_000;
  const wake = (leadNs: number) => ({ callNs: always(0), leadNs: always(leadNs) });
  const entering = (latencyNs: number) => ({ callNs: always(0), latencyNs: always(latencyNs) });
  const idle: Idle = {
    polling: { firstNs: 100 * US, maxNs: 200 * US },
    polled: wake(3 * US),
    entering: [
      { idleNs: 0, ...entering(US) },
      { idleNs: 2 * US, ...entering(12 * US) },
    ],
    asleep: [{ idleNs: 10 * US, ...wake(20 * US) }],
  };
  const { machine } = machineOf(2, { idle });
  const tookUs: number[] = [];
  let wokenAtNs = 0;
  const sleeper = machine.start('sleeper', function* (thread) {
    for (;;) {
      yield thread.sleep();
      tookUs.push((machine.nowNs - wokenAtNs) / US);
    }
  });
  machine.start('waker', function* (thread) {
    yield thread.run(MS);
    for (const [idleUs, latencyUs] of expected) {
      yield thread.run(idleUs * US);
      wokenAtNs = machine.nowNs;
      machine.wake(sleeper, 0, thread);
      yield thread.run(latencyUs * US);
    }
  });
  // That it sleeps 30 µs later, and does not poll, is what it has learnt from a millisecond; that it polls then, from those 30.
  const expected: [idleUs: number, latencyUs: number][] = [
    [0, 20],
    [1, 1],
    [5, 12],
    [30, 20],
    [5, 12],
    [30, 3],
  ];
  machine.run(Infinity);
  expect(tookUs).toEqual(expected.map(([, latencyUs]) => latencyUs));
});

it('a CPU that must be interrupted takes its waker longer, and its thread is later', () => {
  const either = (short: number, long: number): [number, number][] => [
    [0, short],
    [0.5, short],
    [0.5001, long],
    [1, long],
  ];
  const wake = { callNs: always(0), leadNs: always(0) };
  const idle: Idle = {
    polling: { firstNs: 1, maxNs: 1 },
    polled: wake,
    entering: [{ idleNs: 0, callNs: either(600, 11_000), latencyNs: either(20_000, 40_000) }],
    asleep: [{ idleNs: MS, ...wake }],
  };
  const { machine } = machineOf(2, { idle });
  const found = new Map<number, number>();
  const [calls, wokenAtNs] = [[] as number[], [] as number[]];
  const sleeper = machine.start('sleeper', function* (thread) {
    for (;;) {
      yield thread.sleep();
      found.set(machine.nowNs - (wokenAtNs.at(-1) ?? 0), calls.at(-1) ?? 0);
    }
  });
  machine.start('waker', function* (thread) {
    for (let i = 0; i < 100; i++) {
      yield thread.run(60_000);
      wokenAtNs.push(machine.nowNs);
      calls.push(machine.wake(sleeper, 0, thread) ?? 0);
    }
    yield thread.run(60_000);
    machine.stopped = true;
  });
  machine.run(Infinity);
  expect([...found].sort()).toEqual([
    [20_000, 600],
    [40_000, 11_000],
  ]);
});

it('an idle CPU is woken as it sleeps: it polls for as long as it has learnt, and sleeps the deeper the longer', () => {
  const US = 1_000;
  const wake = (callNs: number, leadNs: number) => ({ callNs: always(callNs), leadNs: always(leadNs) });
  const idle: Idle = {
    polling: { firstNs: 10 * US, maxNs: 200 * US },
    polled: wake(US, US),
    entering: [],
    asleep: [
      { idleNs: 0, ...wake(2 * US, 8 * US) },
      { idleNs: 200 * US, ...wake(5 * US, 25 * US) },
    ],
  };
  const { machine } = machineOf(2, { idle });
  const latenciesUs: number[] = [];
  const callsUs: number[] = [];
  let wokenAtNs = 0;
  const sleeper = machine.start('sleeper', function* (thread) {
    for (;;) {
      yield thread.sleep();
      latenciesUs.push((machine.nowNs - wokenAtNs) / US);
    }
  });
  machine.start('waker', function* (thread) {
    // Idle for long, then again and again for 30 µs: 10 and 20 µs of polling are too short for that, 40 are not.
    const expected = [
      { idleUs: 300, latencyUs: 30 },
      { idleUs: 30, latencyUs: 10 },
      { idleUs: 30, latencyUs: 10 },
      { idleUs: 30, latencyUs: 10 },
      { idleUs: 30, latencyUs: 2 },
      { idleUs: 300, latencyUs: 30 },
      { idleUs: 30, latencyUs: 10 },
    ];
    for (const [i, { idleUs }] of expected.entries()) {
      yield thread.run(((expected[i - 1]?.latencyUs ?? 0) + idleUs) * US);
      wokenAtNs = machine.nowNs;
      callsUs.push((machine.wake(sleeper, 0, thread) ?? 0) / US);
    }
    yield thread.run(100 * US);
    machine.stopped = true;
  });
  machine.run(Infinity);
  expect(latenciesUs).toEqual([30, 10, 10, 10, 2, 30, 10]);
  expect(callsUs).toEqual([5, 2, 2, 2, 1, 5, 2]);
});

it.each([
  ['is taken to the CPU of a waker that is about to sleep', 'connection', undefined, 0, 1],
  ['stays on its own CPU, which sleeps, when its waker goes on', 'futex', undefined, 0, 0],
  ['stays on its own CPU as long as that polls', 'connection', 10_000, 0, 0],
  ['stays on its own CPU as long as that has not fallen asleep', 'connection', undefined, 10_000, 0],
] as const)('of a virtual machine, a thread that is woken %s', (_, through, pollsNs, asleepFromNs, cpu) => {
  const wake = { callNs: always(1), leadNs: always(1) };
  const idle: Idle = {
    polling: { firstNs: pollsNs ?? 1, maxNs: MS },
    polled: wake,
    entering: [{ idleNs: 0, callNs: always(1), latencyNs: always(2) }],
    asleep: [{ idleNs: asleepFromNs, ...wake }],
  };
  const { machine } = machineOf(2, { idle });
  const sleeper = machine.start('sleeper', function* (thread) {
    for (;;) {
      yield thread.run(1);
      yield thread.sleep();
    }
  });
  machine.start('waker', function* (thread) {
    // Its CPU polls the second time, if at all: that it was woken too late the first time has taught it to.
    for (const each of ['futex', through] as const) {
      yield thread.run(5_000);
      machine.wake(sleeper, 0, thread, each);
    }
    yield thread.run(5_000);
    machine.stopped = true;
  });
  machine.run(Infinity);
  expect(sleeper.cpu).toBe(cpu);
});

/** To who wakes a thread an idle CPU is none that sleeps, and all do at once. */
const ASLEEP: Idle = (() => {
  const wake = { callNs: always(1), leadNs: always(1) };
  return { polling: { firstNs: 1, maxNs: 1 }, polled: wake, entering: [], asleep: [{ idleNs: 0, ...wake }] };
})();

/** Threads that have run before, so that they are where they are said to be, and sleep; none has anything to do with another. */
function asleepOn(cpus: Readonly<Record<string, number>>, fairness?: Fairness) {
  const { machine } = machineOf(2, { idle: ASLEEP, ...(fairness === undefined ? {} : { fairness }) });
  const order: string[] = [];
  const tasks = new Map<string, (thread: VirtualThread) => Iterable<number>>();
  const threads = Object.keys(cpus).map((name) => {
    const thread = machine.start(name, function* (self) {
      yield self.sleep();
      order.push(name);
      for (const request of tasks.get(name)?.(self) ?? []) yield request;
    });
    return [name, thread] as const;
  });
  machine.run(MS);
  for (const [name, thread] of threads) Object.assign(thread, { cpu: cpus[name], cpuNs: 1 });
  return { machine, order, tasks, thread: Object.fromEntries(threads) as Record<string, VirtualThread> };
}

it.each([
  ['comes to its waker where that is alone', 'connection', false, 0],
  ['and by an eventfd, too', 'eventfd', false, 0],
  ['by a futex it has its own CPU woken', 'futex', false, 1],
  ['goes to a CPU that sleeps where its waker is not alone', 'connection', true, 1],
  ['and by an eventfd, too', 'eventfd', true, 1],
] as const)('a thread whose CPU sleeps %s (%s)', (_, through, othersWait, cpu) => {
  const { machine, tasks, thread } = asleepOn({ waker: 0, other: 0, sleeper: 1 });
  tasks.set('waker', function* (self) {
    yield self.run(1_000);
    if (othersWait) machine.wake(thread['other'] as VirtualThread, 0, self, 'connection');
    machine.wake(thread['sleeper'] as VirtualThread, 0, self, through);
  });
  machine.wake(thread['waker'] as VirtualThread, 0, null);
  machine.run(Infinity);
  expect(thread['sleeper']?.cpu).toBe(cpu);
});

it.each([
  ['connection', ['waker', 'sleeper', 'waker again']],
  ['eventfd', ['waker', 'waker again', 'sleeper']],
] as const)('who is woken on the CPU of its waker through what (%s) decides who goes on', (through, expected) => {
  for (const fairness of [CFS, { kind: 'eevdf' }] as const) {
    const { machine, order, tasks, thread } = asleepOn({ waker: 0, sleeper: 0 }, fairness);
    tasks.set('waker', function* (self) {
      yield self.run(1_000);
      machine.wake(thread['sleeper'] as VirtualThread, 0, self, through);
      yield self.run(1_000);
      order.push('waker again');
    });
    machine.wake(thread['waker'] as VirtualThread, 0, null);
    machine.run(Infinity);
    expect(order).toEqual(expected);
  }
});

it.each([
  ['who has to wait for it takes its waker less than who does not', 'futex', 10_000, 700],
  ['but through a connection not', 'connection', 10_000, null],
  ['nor who displaces another, since another CPU must be interrupted for that', 'futex', 5 * MS, null],
] as const)('where a CPU is busy, %s', (_, through, ranNs, expected) => {
  const { machine } = machineOf(2, { queueNs: 700 });
  const sleeper = machine.start('sleeper', function* (thread) {
    yield thread.sleep();
  });
  machine.run(0);
  const takes: (number | null)[] = [];
  for (const cpu of [0, 1]) {
    machine.start(`busy on CPU ${cpu}`, function* (thread) {
      yield thread.run(ranNs);
      if (thread.cpu === 1) takes.push(machine.wake(sleeper, 0, thread, through));
      yield thread.run(5 * MS);
    });
  }
  machine.run(Infinity);
  expect(takes).toEqual([expected]);
});

it('who fell asleep ahead of one that waited is woken where it was, and displaces who has run meanwhile', () => {
  const { machine, order, tasks, thread } = asleepOn({ first: 0, second: 0 }, { kind: 'eevdf' });
  tasks.set('first', function* (self) {
    machine.wake(thread['second'] as VirtualThread, 0, self, 'eventfd');
    yield self.run(1_000);
    yield self.sleep();
    order.push('first again');
  });
  tasks.set('second', function* (self) {
    yield self.run(5_000);
    expect(thread['first']?.isDelayed).toBe(true);
    machine.wake(thread['first'] as VirtualThread, 0, self, 'futex');
    yield self.run(1_000);
    order.push('second again');
  });
  machine.wake(thread['first'] as VirtualThread, 0, null);
  machine.run(Infinity);
  expect(order).toEqual(['first', 'second', 'first again', 'second again']);
});

it('who has not left its queue is woken there, wherever its waker is', () => {
  for (const sleepsAhead of [false, true]) {
    const { machine, tasks, thread } = asleepOn({ first: 0, second: 0, waker: 1 }, { kind: 'eevdf' });
    tasks.set('first', function* (self) {
      if (sleepsAhead) machine.wake(thread['second'] as VirtualThread, 0, self, 'eventfd');
      yield self.run(1_000);
      yield self.sleep();
    });
    tasks.set('second', function* (self) {
      yield self.run(MS);
    });
    tasks.set('waker', function* (self) {
      yield self.run(20_000);
      machine.wake(thread['first'] as VirtualThread, 0, self, 'connection');
    });
    machine.wake(thread['first'] as VirtualThread, 0, null);
    machine.wake(thread['waker'] as VirtualThread, 0, null);
    machine.run(Infinity);
    expect(thread['first']?.cpu).toBe(sleepsAhead ? 0 : 1);
  }
});

it('who has slept until its CPU was idle has left its queue', () => {
  const { machine, tasks, thread } = asleepOn({ first: 0, second: 0 }, { kind: 'eevdf' });
  tasks.set('first', function* (self) {
    machine.wake(thread['second'] as VirtualThread, 0, self, 'eventfd');
    yield self.run(1_000);
    yield self.sleep();
  });
  machine.wake(thread['first'] as VirtualThread, 0, null);
  machine.run(2 * MS);
  expect(thread['first']).toMatchObject({ state: STATE.sleeping, isDelayed: false });
});

it('rather than wait behind a thread that always runs, one goes to its waker; that one itself goes home', () => {
  const { machine, tasks, thread } = asleepOn({ waker: 0, sleeper: 1, always: 1, brief: 1 });
  tasks.set('always', function* (self) {
    yield self.run(100 * MS);
    yield self.sleep();
    yield self.run(10 * MS);
  });
  tasks.set('brief', function* (self) {
    yield self.run(100_000);
  });
  const at: number[] = [];
  tasks.set('waker', function* (self) {
    machine.wake(thread['sleeper'] as VirtualThread, 0, self, 'futex');
    at.push(thread['sleeper']?.cpu ?? -1);
    yield self.sleepFor(30 * MS, 1);
    // Its CPU is somebody else's for the moment, and has been its own.
    machine.wake(thread['brief'] as VirtualThread, 0, self, 'futex');
    yield self.run(50_000);
    machine.wake(thread['always'] as VirtualThread, 0, self, 'futex');
    at.push(thread['always']?.cpu ?? -1);
  });
  machine.wake(thread['always'] as VirtualThread, 0, null);
  machine.run(80 * MS);
  machine.wake(thread['waker'] as VirtualThread, 0, null);
  machine.run(Infinity);
  expect(at).toEqual([0, 1]);
});

it('an idle CPU takes away no thread that has just run', () => {
  for (const [restNs, moves] of [
    [MS / 10, false],
    [MS, true],
  ] as const) {
    const { machine, tasks, thread } = asleepOn({ busy: 0, queued: 0, other: 1 });
    tasks.set('queued', function* (self) {
      yield self.run(1_000);
      yield self.sleep();
      yield self.run(1_000);
    });
    tasks.set('busy', function* (self) {
      yield self.run(MS / 2);
      machine.wake(thread['queued'] as VirtualThread, 0, self, 'futex');
      yield self.run(MS / 2);
    });
    // Falls idle while the other waits.
    tasks.set('other', function* (self) {
      yield self.run(MS / 2 + 100);
    });
    machine.wake(thread['queued'] as VirtualThread, 0, null);
    machine.run(MS + restNs);
    machine.wake(thread['busy'] as VirtualThread, 0, null);
    machine.wake(thread['other'] as VirtualThread, 0, null);
    Object.assign(thread['queued'] as VirtualThread, { ranUntilNs: machine.nowNs + MS / 2 - restNs });
    machine.run(Infinity);
    expect(thread['queued']?.cpu).toBe(moves ? 1 : 0);
  }
});
