/** The simulated world: the same again for the same seed, nothing lost, and policies in the order the talk found. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import type { MeasuredRound } from '../../../bench/result/result.ts';
import { type CellSetup, simulateCell } from '../../../bench/simulate/cell.ts';
import { loadProfile, type Profile } from '../../../bench/simulate/profile.ts';
import { DOINGS } from '../../../lock/machines/virtual-time/machine.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';
import { TALK_SERVERS } from '../../../server/servers.ts';

const profile = await loadProfile('this-machine');
const quiet = {
  ...profile,
  scheduler: { ...profile.scheduler, interrupts: { ...profile.scheduler.interrupts, everyNs: 0 } },
};
const MESSAGES = 150;

type Changes = Partial<Omit<CellSetup, 'policy' | 'workload'>> & {
  policy?: string;
  workload?: Partial<CellSetup['workload']>;
};

async function setupOf({ policy = 'py32', workload, ...rest }: Changes): Promise<CellSetup> {
  return {
    server: 'blocking',
    policy: await readPolicySpec(policy),
    scenario: 'loaded',
    cpus: 8,
    spinners: 1,
    profile,
    seed: 1,
    round: 1,
    records: false,
    ...rest,
    workload: {
      messages: MESSAGES,
      payloadBytes: 8_192,
      delayNs: 1e6,
      warmupMessages: 5,
      budgetNs: 60e9,
      spinners: 1,
      spinnerKind: 'fib',
      interpreterCostNs: 10_000,
      maxMessageBytes: 2 ** 24,
      peerTimeoutNs: null,
      host: '127.0.0.1',
      port: 0,
      ...workload,
    },
  };
}

async function simulate(changes: Changes): Promise<MeasuredRound> {
  const { round } = await simulateCell(await setupOf(changes));
  if (round.state !== 'measured') throw new Error(round.message);
  return round;
}

/** What a message takes, the pause left out. */
async function perMessageNs(changes: Changes): Promise<number> {
  const { durationNs, rttNs } = await simulate(changes);
  return durationNs / rttNs.length - 1e6;
}

describe('the same seed', () => {
  it('gives the same round to the byte, another seed another', async () => {
    const changes: Changes = { policy: 'py27', server: 'zeromq' };
    const text = JSON.stringify(await simulate(changes));
    expect(JSON.stringify(await simulate(changes))).toBe(text);
    expect(JSON.stringify(await simulate({ ...changes, seed: 2 }))).not.toBe(text);
  });

  it('gives on every version of the engine what it gave when this was written', async () => {
    const { rttNs } = await simulate({ profile: FIXED, policy: 'priority', server: 'nonblocking' });
    expect(createHash('sha256').update(JSON.stringify(rttNs)).digest('hex').slice(0, 16)).toMatchInlineSnapshot(
      `"3e570b881a3abc39"`,
    );
  });

  it.each([
    { server: 'blocking', scenario: 'loaded' },
    { server: 'nonblocking', scenario: 'unloaded' },
    { server: 'zeromq', scenario: 'loaded', workload: { interpreterCostNs: 300_000 } },
    { server: 'multiprocessing', scenario: 'loaded', spinners: 3, cpus: 2 },
    // Not so many leaves from each offer to the next.
    { server: 'blocking', scenario: 'loaded', policy: 'py27(tick=37ns)' },
  ] as const)('skips offers nobody takes, and that changes nothing: %o', async (changes) => {
    await skipsChangeNothing(changes);
  });

  it('skips none while a thread that was interrupted on its way to sleep has yet to go', async () => {
    const { interrupts } = FIXED.scheduler;
    const often = { ...FIXED, scheduler: { ...FIXED.scheduler, interrupts: { ...interrupts, everyNs: 30_000 } } };
    await skipsChangeNothing({ profile: often });
  });

  it('skips none that takes longer, since its cache lines are on another CPU', async () => {
    const far = { ...FIXED, lock: { ...FIXED.lock, lineNs: 90 } };
    for (const policy of ['py27', 'pypy16(check=500)']) await skipsChangeNothing({ policy, profile: far });
  });

  it('skips none that takes longer, since a waiter is met in it', async () => {
    const contention = { waitNs: always(900), looksAfter: 0.6, heldUpNs: always(700) };
    await skipsChangeNothing({ policy: 'py27', profile: { ...FIXED, lock: { ...FIXED.lock, contention } } });
  });

  it('skips none that takes longer, since it is the first for long that makes a call', async () => {
    const contention = { waitNs: always(900), looksAfter: 0.6, heldUpNs: always(700) };
    // And others follow before who waits has come to look.
    const extraNs = { ...NOTHING_EXTRA, offer: always(700), wait: always(30_000) };
    for (const lineNs of [0, 90]) {
      const lock = { ...FIXED.lock, lineNs, contention, cold: { afterNs: 20_000, extraNs } };
      await skipsChangeNothing({ policy: 'py27', profile: { ...FIXED, lock } });
    }
  });

  it('skips none that takes longer, since a sleep has made its thread forget the way', async () => {
    const extraNs = { ...NOTHING_EXTRA, step: always(700) };
    const forgetful = { ...FIXED, lock: { ...FIXED.lock, cold: { afterNs: 20_000, extraNs } } };
    await skipsChangeNothing({ profile: forgetful });
  });
});

/** Under a policy of which it is not known that it can be skipped, each offer is made. */
async function skipsChangeNothing(changes: Changes): Promise<void> {
  const built = await setupOf({ policy: 'py27', server: 'blocking', ...changes });
  const url = pathToFileURL(resolve(import.meta.dirname, '../../../lock/policies/py27.ts')).href;
  const ownFile: CellSetup = { ...built, policy: { ...built.policy, from: { kind: 'file', url } } };
  const skipped = await simulateCell(built);
  const whole = await simulateCell(ownFile);
  expect(skipped.round).toEqual(whole.round);
  expect(skipped.effort.steps).toBeLessThan(whole.effort.steps);
}

type Extras = NonNullable<Profile['lock']['cold']>['extraNs'];

const always = (ns: number): [number, number][] => [
  [0, ns],
  [1, ns],
];
const NOTHING_EXTRA = Object.fromEntries(DOINGS.map((doing) => [doing, always(0)])) as Extras;

/** Numbers of no machine, so that a new calibration does not change what a test expects. */
const FIXED = {
  ...profile,
  interpreterCostNs: 10_000,
  leafNs: 150,
  lock: { atomicNs: 20, lineNs: 0, offerNs: 0, futexCallNs: 300, futexWakeNs: 2_000, futexWaitNs: 300 },
  scheduler: {
    wakeIdleNs: [
      [0, 3_000],
      [0.5, 15_000],
      [1, 100_000],
    ] as [number, number][],
    preemptNs: [
      [0, 2_000],
      [1, 10_000],
    ] as [number, number][],
    switchNs: 1_500,
    sliceNs: 3_000_000,
    tickNs: 4_000_000,
    interrupts: {
      everyNs: 4_000_000,
      durationNs: [
        [0, 2_000],
        [1, 20_000],
      ] as [number, number][],
    },
    fairness: { kind: 'eevdf' as const },
  },
  timers: {
    pauseOvershootNs: [
      [0, 50_000],
      [1, 100_000],
    ] as [number, number][],
    timeoutOvershootNs: [
      [0, 50_000],
      [1, 100_000],
    ] as [number, number][],
  },
  sockets: {
    recvNs: 1_000,
    sendNs: 8_000,
    perKibNs: 100,
    nothingNs: 700,
    pollNs: 1_000,
    wakeNs: 2_000,
    bufferBytes: 262_144,
  },
  zeromq: { callNs: 1_500, ioNs: 5_000, wayNs: 10_000, sendNs: 10_000, eventLoopNs: 10_000 },
  client: { messageNs: 3_000, encodeNs: 3_000 },
};

describe.each(TALK_SERVERS)('%s', (server) => {
  it('echoes every message, and the parts of a round trip are no longer than it', async () => {
    for (const cpus of [1, 2, 8]) {
      const round = await simulate({ server, policy: 'py27', cpus });
      expect(round.rttNs).toHaveLength(MESSAGES);
      expect(round.ended).toBe('complete');
      for (const [i, rttNs] of round.rttNs.entries()) {
        const parts = (round.lockWaitNs?.[i] ?? 0) + (round.workNs?.[i] ?? 0);
        expect(parts).toBeLessThanOrEqual(rttNs);
      }
      expect(round.reading.cpuNs).toBeLessThanOrEqual(cpus * round.reading.durationNs);
      expect(round.connectionErrors).toEqual([]);
    }
  });

  it('is as slow under each policy as the talk found, in that order', async () => {
    const quick: Changes = { server, profile: FIXED };
    const [free, priority, py27, py32] = (await Promise.all(
      ['free-threaded', 'priority', 'py27', 'py32'].map((policy) => perMessageNs({ ...quick, policy })),
    )) as [number, number, number, number];
    if (server === 'native') {
      expect(py32).toBeLessThan(1.1 * free);
      return;
    }
    expect(priority).toBeLessThan(1.5 * free);
    expect(priority).toBeLessThan(py27);
    expect(py32).toBeGreaterThan(5 * py27);
    const pypy16 = await simulate({ ...quick, policy: 'pypy16', workload: { messages: 20, budgetNs: 2_000e9 } });
    expect(pypy16.durationNs / pypy16.rttNs.length).toBeGreaterThan(py32);
  });
});

it('a message that outlasts all patience while the client settles is not counted, and what was seen until then is', async () => {
  const { rttNs, ended, reading } = await simulate({ policy: 'py32', profile: FIXED, workload: { budgetNs: 1e6 } });
  expect({ messages: rttNs.length, ended }).toEqual({ messages: 0, ended: 'budget' });
  expect(reading.durationNs).toBe(3e6);
  // One has begun, and lasts for a whole switch interval.
  expect(reading.server?.waits).toBe(0);
});

it.each(['waitNs', 'looksAfter', 'heldUpNs'] as const)(
  'what a profile says of calls that meet is what they cost: %s',
  async (name) => {
    const contention = { waitNs: always(600), looksAfter: 0.5, heldUpNs: always(300) };
    const of = async (changed: typeof contention) => {
      const profile = { ...FIXED, lock: { ...FIXED.lock, contention: changed } };
      return (await simulate({ policy: 'py27', scenario: 'loaded', profile })).rttNs;
    };
    expect(await of({ ...contention, [name]: name === 'looksAfter' ? 0.9 : always(2_300) })).not.toEqual(
      await of(contention),
    );
  },
);

it.each(['atomicNs', 'lineNs', 'offerNs', 'futexCallNs', 'futexWakeNs', 'futexWaitNs'] as const)(
  'what a profile says of a lock is what it costs: %s',
  async (name) => {
    const lock = { ...FIXED.lock, [name]: FIXED.lock[name] + 2_000 };
    const of = async (changed: typeof FIXED) =>
      (await simulate({ policy: 'py27', scenario: 'loaded', profile: changed })).rttNs;
    expect(await of({ ...FIXED, lock })).not.toEqual(await of(FIXED));
  },
);

it('a time-out is as late as the profile says, and so is the end of a pause', async () => {
  const late: [number, number][] = [
    [0, 3e6],
    [1, 3e6],
  ];
  const of = async (timers: Partial<Profile['timers']>) => {
    const { rttNs, durationNs } = await simulate({
      policy: 'py32',
      profile: { ...FIXED, timers: { ...FIXED.timers, ...timers } },
    });
    return { rttNs: median([...rttNs]), pauseNs: durationNs / rttNs.length - median([...rttNs]) };
  };
  const [usual, lateTimeout, latePause] = [
    await of({}),
    await of({ timeoutOvershootNs: late }),
    await of({ pauseOvershootNs: late }),
  ];
  expect(lateTimeout.rttNs - usual.rttNs).toBeGreaterThan(2e6);
  expect(latePause.pauseNs - usual.pauseNs).toBeGreaterThan(2e6);
  expect(latePause.rttNs - usual.rttNs).toBeLessThan(1e6);
});

it('the way of a send is paid with the lock held, where one thread at a time holds it; a send, and what an event loop adds to a receive, never are', async () => {
  const EXTRA_NS = 40_000;
  const changes = (policy: string, zeromq: Partial<Profile['zeromq']>): Changes => ({
    server: 'zeromq',
    scenario: 'unloaded',
    spinners: 0,
    policy,
    profile: { ...FIXED, zeromq: { ...FIXED.zeromq, ...zeromq } },
  });
  const mean = (times: readonly number[] | null) => (times ?? []).reduce((sum, ns) => sum + ns, 0) / MESSAGES;
  const extras = async (policy: string, cost: 'wayNs' | 'sendNs' | 'eventLoopNs') => {
    const [without, costly] = [
      await simulate(changes(policy, { [cost]: 0 })),
      await simulate(changes(policy, { [cost]: EXTRA_NS })),
    ];
    return {
      held: (mean(costly.workNs) - mean(without.workNs)) / EXTRA_NS,
      all: (mean(costly.rttNs) - mean(without.rttNs)) / EXTRA_NS,
    };
  };
  const way = await extras('py32', 'wayNs');
  expect(way.held).toBeGreaterThan(0.9);
  expect(await extras('free-threaded', 'wayNs')).toEqual({ held: 0, all: 0 });
  const others = [];
  for (const policy of ['free-threaded', 'py32']) {
    for (const cost of ['sendNs', 'eventLoopNs'] as const) others.push(await extras(policy, cost));
  }
  for (const { held } of others) expect(held).toBeLessThan(0.1);
  for (const { all } of [way, ...others]) expect(Math.abs(all - 1)).toBeLessThan(0.5);
});

it.each([
  ['the way of a send, with the lock held where one thread holds it', 'py32', 'zmqWay', 1, 1],
  ['the way of a send, in the send where many do', 'free-threaded', 'zmqWay', 0, 1],
  ['a send', 'py32', 'zmqSend', 0, 1],
  ['what both I/O threads send', 'py32', 'send', 0, 2],
  ['what both I/O threads receive', 'py32', 'recv', 0, 2],
] as const)('takes more after a long sleep over ZeroMQ: %s', async (_, policy, doing, held, all) => {
  const EXTRA_NS = 40_000;
  const coldBy = (ns: number) => {
    const lock = { ...FIXED.lock, cold: { afterNs: 500_000, extraNs: { ...NOTHING_EXTRA, [doing]: always(ns) } } };
    const scheduler = { ...FIXED.scheduler, wakeIdleNs: always(15_000) };
    const profile = { ...FIXED, lock, scheduler };
    return simulate({ server: 'zeromq', policy, spinners: 0, scenario: 'unloaded', profile });
  };
  const [without, cold] = [await coldBy(0), await coldBy(EXTRA_NS)];
  const heldFor = ({ workNs }: typeof cold) => median([...(workNs ?? [])]);
  expect((heldFor(cold) - heldFor(without)) / EXTRA_NS).toBeCloseTo(held, 1);
  expect(Math.abs((median(cold.rttNs) - median(without.rttNs)) / EXTRA_NS - all)).toBeLessThan(0.5);
});

it('waking costs each of the four threads of a ZeroMQ message that it wakes: who is woken for the second batch is awake, or has been since the first', async () => {
  const EXTRA_NS = 40_000;
  const costing = (wakeNs: number) => {
    const profile = { ...FIXED, sockets: { ...FIXED.sockets, wakeNs } };
    return simulate({ server: 'zeromq', spinners: 0, scenario: 'unloaded', profile });
  };
  const [without, costly] = [await costing(0), await costing(EXTRA_NS)];
  const wakes = (median(costly.rttNs) - median(without.rttNs)) / EXTRA_NS;
  // Owner, I/O thread, I/O thread, owner: three wake-ups each way, and no more than two for batches.
  expect(wakes).toBeGreaterThan(5.5);
  expect(wakes).toBeLessThan(8.5);
});

it('a long sleep leaves both ends as cold as the profile says, now more, now less', async () => {
  const EXTRA_NS = 1_000_000;
  const sends = [
    [0, 0],
    [1, EXTRA_NS],
  ] as [number, number][];
  const extraNs = { ...NOTHING_EXTRA, send: sends };
  const scheduler = {
    ...FIXED.scheduler,
    wakeIdleNs: always(15_000),
    interrupts: { ...FIXED.scheduler.interrupts, everyNs: 0 },
  };
  const profile = { ...FIXED, scheduler };
  const quick = { scenario: 'unloaded', spinners: 0 } as const;
  const warm = await simulate({ ...quick, profile });
  const cold = { afterNs: 500_000, extraNs };
  const { rttNs } = await simulate({ ...quick, profile: { ...profile, lock: { ...FIXED.lock, cold } } });
  const [warmNs] = warm.rttNs as [number];
  expect(new Set(warm.rttNs)).toEqual(new Set([warmNs]));
  expect(new Set(rttNs).size).toBeGreaterThan(MESSAGES / 2);
  // Of client and server each half of the most, in the mean.
  const extraInTheMeanNs = rttNs.reduce((sum, ns) => sum + ns - warmNs, 0) / rttNs.length;
  expect(extraInTheMeanNs / EXTRA_NS).toBeGreaterThan(0.8);
  expect(extraInTheMeanNs / EXTRA_NS).toBeLessThan(1.2);
});

it('a message of many pieces passes through a buffer smaller than it', async () => {
  const workload = { payloadBytes: 2 ** 20, messages: 20 };
  for (const server of ['blocking', 'nonblocking', 'multiprocessing']) {
    // However long it takes to find no room: room that comes meanwhile must be seen.
    for (const nothingNs of [0, 700, 5_000, 50_000]) {
      const profile = { ...FIXED, sockets: { ...FIXED.sockets, nothingNs } };
      const { rttNs } = await simulate({ server, profile, workload });
      expect(rttNs).toHaveLength(20);
    }
  }
});

it.each(['native', 'releasing'] as const)('CPU threads of kind %s run', async (spinnerKind) => {
  const round = await simulate({ workload: { spinnerKind } });
  expect(round.rttNs).toHaveLength(MESSAGES);
  expect(round.spinnerRoundsPerSecond).toBeGreaterThan(0);
});

it('offloaded CPU threads have a lock of their own', async () => {
  const offloaded = await simulate({ scenario: 'offloaded' });
  expect(offloaded.reading.server?.steals).toBe(0);
  expect(offloaded.spinnerRoundsPerSecond).toBeGreaterThan(0);
});

it('the editor of the gui scenario makes its calls', async () => {
  const round = await simulate({
    server: 'editor',
    scenario: 'gui',
    workload: { payloadBytes: 8, messages: 10, delayNs: 30e6 },
  });
  expect((round.reading.server?.transitions ?? 0) / round.rttNs.length).toBeCloseTo(23, 0);
});

it('threads without a lock share CPUs, and no more than there are', async () => {
  const changes: Changes = { policy: 'free-threaded', profile: quiet, workload: { messages: 1 } };
  const SOLO_SECONDS = 0.1;
  const rounds = async (cpus: number, spinners: number) =>
    ((await simulate({ ...changes, cpus, spinners })).soloRoundsPerSecond ?? 0) * SOLO_SECONDS;
  const [alone, shared] = [await rounds(8, 1), await rounds(2, 6)];
  expect(shared).toBeGreaterThan(1.9 * alone);
  // A round counts when it ends: each thread may have begun one before the time that is looked at, and the one alone may not have ended its last.
  expect(shared).toBeLessThanOrEqual(2 * (alone + 1) + 6);
});

describe('the work of the simulation', () => {
  const effortOf = async (changes: Changes) => (await simulateCell(await setupOf(changes))).effort;
  const KINDS = ['events', 'steps'] as const;
  const nLogN = (n: number) => n * Math.log2(n);

  it('grows with the messages', async () => {
    for (const policy of ['py32', 'py27']) {
      const some = await effortOf({ policy, workload: { messages: 400 } });
      const twice = await effortOf({ policy, workload: { messages: 800 } });
      for (const kind of KINDS) {
        expect(twice[kind] / some[kind]).toBeGreaterThan(1.4);
        expect(twice[kind] / some[kind]).toBeLessThan(2.2);
      }
    }
  });

  it('grows no faster than n log n with the threads, to a thousand', async () => {
    const workload = { messages: 10_000, budgetNs: 200e6 };
    // In a world of many threads one more may change who meets whom, and the effort by half: of neighbouring worlds the middle one counts.
    const perThread = async (...worlds: [number, number, number]) => {
      const efforts = await Promise.all(worlds.map((spinners) => effortOf({ spinners, workload })));
      return KINDS.map((kind) => median(efforts.map((effort, i) => effort[kind] / nLogN(worlds[i] as number))));
    };
    const some = await perThread(200, 250, 300);
    const fourfold = await perThread(800, 900, 1_000);
    for (const [i, effort] of fourfold.entries()) expect(effort).toBeLessThan((some[i] as number) * 1.1);
  });
});
