/** A result of the talk's full matrix made by hand, as large as a real one: no two samples alike, and timelines as long as asked. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Cell, MeasuredRound, Result } from '../../../bench/result/result.ts';
import { EVENTS, type ThreadTimeline, type Timeline } from '../../../lock/timeline.ts';
import { cell, measured, result, roundsOf } from '../result-builder.ts';

export const TALK_POLICIES = ['py27', 'py32', 'pypy16', 'priority', 'free-threaded'];
export const TALK_SERVERS = ['native', 'zeromq', 'multiprocessing', 'blocking', 'nonblocking'];

/** What a message takes under a policy beside a CPU thread, roughly, in ms. */
const TYPICAL_MS: Readonly<Record<string, number>> = { py27: 0.3, py32: 5, pypy16: 200, priority: 0.2 };

/**
 * @param messages of each cell
 * @param timelineOf the cells that have a timeline, as `py32/blocking`
 */
export function fullMatrix(messages: number, timelineOf: readonly string[] = []): Result {
  const random = xoroshiro128plus(1);
  const rtt = (typicalMs: number) => (typicalMs * (1 + uniformInt(random, 0, 1_000_000) / 1e6)) / 1.5;
  const cells = TALK_SERVERS.flatMap((server) =>
    TALK_POLICIES.flatMap((policy) =>
      (['unloaded', 'loaded'] as const).map((scenario) => {
        const typicalMs = scenario === 'loaded' ? (TYPICAL_MS[policy] ?? 0.1) : 0.1;
        const rttMs = Array.from({ length: messages }, () => rtt(typicalMs));
        const round = measured({
          rttMs,
          lockWaitMs: rttMs.map((ms) => ms * 0.9),
          workMs: rttMs.map((ms) => ms * 0.05),
          kept: scenario === 'loaded' ? 0.9 : null,
        });
        const recorded = scenario === 'loaded' && timelineOf.includes(`${policy}/${server}`);
        return cell(`${policy}/${server} ${scenario}`, [recorded ? { ...round, timeline: convoyOf(round) } : round]);
      }),
    ),
  );
  return result(cells);
}

/** A simulated machine of several sizes, with 1 to so many CPU threads. */
export function sweep(cpus: readonly number[], maxSpinners: number): Cell[] {
  const spinners = Array.from({ length: maxSpinners }, (_, i) => i + 1);
  return cpus.flatMap((count) =>
    ['py32', 'priority'].flatMap((policy) => [
      { ...cell(`${policy}/blocking unloaded`, roundsOf([1.1])), at: { cpus: count, spinners: 1 } },
      ...spinners.map((each) => ({
        ...cell(`${policy}/blocking loaded`, roundsOf([6 * each], { kept: 0.9 })),
        at: { cpus: count, spinners: each },
      })),
    ]),
  );
}

/** The convoy: each message is received, waits for the lock that the CPU thread holds, works a little and is sent back. */
export function convoyOf({ sentNs, rttNs }: MeasuredRound): Timeline {
  const at = (ns: number) => Math.round(ns);
  const server: [atNs: number, word: (typeof EVENTS)[number], by: number][] = [[0, 'call', 1]];
  const spinner: [atNs: number, word: (typeof EVENTS)[number], by: number][] = [[0, 'runs', 0]];
  for (const [i, sent] of sentNs.entries()) {
    const rtt = rttNs[i] ?? 0;
    const [received, taken, given] = [at(sent + rtt * 0.02), at(sent + rtt * 0.92), at(sent + rtt * 0.97)];
    server.push([received, 'wants', 0], [received, 'stolen', 2], [at(received + 10), 'sleeps', 0]);
    spinner.push([at(taken - 20), 'drop-honoured', 0], [taken, 'wants', 0]);
    server.push([taken, 'wants', 0], [taken, 'runs', 0], [given, 'call', 2]);
    spinner.push([given, 'runs', 0]);
  }
  const untilNs = Math.max(0, at((sentNs.at(-1) ?? 0) + (rttNs.at(-1) ?? 0)));
  const thread = (number: number, name: string, role: ThreadTimeline['role'], events: typeof server) => ({
    thread: number,
    name,
    role,
    lostEvents: 0,
    atNs: events.map(([ns]) => ns),
    event: events.map(([, word]) => EVENTS.indexOf(word)),
    by: events.map(([, , by]) => by),
  });
  return {
    fromNs: 0,
    untilNs,
    calls: ['call', 'recv', 'send'],
    threads: [thread(1, 'connection 1', 'server', server), thread(2, 'CPU thread 1', 'spinner', spinner)],
  };
}
