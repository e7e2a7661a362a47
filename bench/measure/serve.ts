/** One server under one policy in one scenario, until it is told to end: the server's side of a cell, without a client of ours. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import type { Reading } from '../reference/reference-protocol.ts';
import type { Scenario } from '../result/result.ts';
import { measureLeafAloneNs } from '../run/run.ts';
import { endProcess, type Role, type ServerSide, type SideSetup, startServerSide } from './server-side.ts';

/** What is served. */
export interface ServeOptions {
  readonly server: string;
  readonly policy: PolicySpec;
  readonly scenario: Scenario;
  readonly port: number;
  readonly workload: SideSetup['workload'];
  /** Between two lines of what was counted; null: only at the end. */
  readonly everyNs: number | null;
}

/** What happened in a time. */
export interface Counted {
  readonly reading: Reading;
  /** Rounds of work a second of the CPU threads against what they did while the server was idle; null if there are none. */
  readonly kept: number | null;
}

/** Whom to tell. */
export interface ServeEvents {
  listening(port: number): void;
  /** Since the last time, or since the start. */
  counted(counted: Counted): void;
  /** Why connections ended, where it was not by their client's good-bye. */
  ended(connectionErrors: readonly string[]): void;
}

/**
 * Serves.
 *
 * @param told ends it in an orderly way
 * @param killed ends its processes at once
 * @throws Error if a process does not start, or ends by itself
 */
export async function serve(
  options: ServeOptions,
  events: ServeEvents,
  told: AbortSignal,
  killed: AbortSignal,
): Promise<void> {
  const { workload, port, scenario } = options;
  const setup = { workload, leafNs: measureLeafAloneNs(), lockCounter: null };
  const start = (role: Role) => startServerSide(options, setup, role);
  const server = start({ what: "the server's process", port, loggedCalls: 0, records: false });
  const worker =
    scenario === 'offloaded' ? start({ what: 'the CPU process', port: 0, loggedCalls: 0, records: false }) : null;
  const sides = worker === null ? [server] : [server, worker];
  const kill = () => {
    for (const { process } of sides) process.kill();
  };
  killed.addEventListener('abort', kill);
  try {
    const listensOn = (await server.start()).port;
    await worker?.start();
    const spinning = worker ?? (scenario === 'unloaded' ? null : server);
    await spinning?.spin();
    const solo = (await spinning?.solo()) ?? null;
    await begin(sides);
    events.listening(listensOn);
    const count = async () => {
      const { reading } = await server.end();
      const { reading: spun } = worker === null ? { reading } : await worker.end();
      const rate = spun.spinnerRounds / (spun.durationNs / 1e9);
      events.counted({ reading, kept: solo === null ? null : rate / solo.roundsPerSecond });
    };
    for (;;) {
      const why = await nextEvent(sides, options.everyNs, told);
      if (why === 'lost') throw sides.find(({ process }) => process.lost !== undefined)?.process.lost;
      await count();
      if (why === 'told') break;
      await begin(sides);
    }
    events.ended((await server.stop()).connectionErrors);
  } finally {
    await Promise.all(sides.map(({ process }) => endProcess(process)));
    killed.removeEventListener('abort', kill);
  }
}

async function begin(sides: readonly ServerSide[]): Promise<void> {
  for (const side of sides) await side.begin();
}

/** Waits until it is told to end, a process has ended, or the time is over, whatever is first. */
async function nextEvent(
  sides: readonly ServerSide[],
  everyNs: number | null,
  told: AbortSignal,
): Promise<'told' | 'lost' | 'every'> {
  if (told.aborted) return 'told';
  const over = new AbortController();
  const { signal } = over;
  try {
    return await Promise.race([
      new Promise<'told'>((resolve) => told.addEventListener('abort', () => resolve('told'), { signal })),
      ...sides.map(async ({ process }) => {
        await process.ended(Infinity);
        return 'lost' as const;
      }),
      ...(everyNs === null ? [] : [delay(everyNs / 1e6, 'every' as const, { signal })]),
    ]);
  } finally {
    over.abort();
  }
}
