/** Lives of threads under a lock, made up: what a recorder is told, in an order in which it can happen, and what must come of it. */
import fc from 'fast-check';
import { Recorder } from '../../lock/recorder.ts';
import { Recording } from '../../lock/recording.ts';
import { EVENT, isStateNumber, type Timeline } from '../../lock/timeline.ts';

/** What happens to a thread from when it gives the lock up until it has it again. */
export interface Episode {
  /** Time under the lock before it. */
  readonly runsNs: number;
  readonly how: 'call' | 'offer' | 'untimed offer' | 'away';
  readonly call: number;
  readonly callNs: number;
  /** Whether it must sleep on its way out, until another has the lock. */
  readonly forced: boolean;
  /** Sleeps on its way back, each after a time awake, and whether it then asks for the lock. */
  readonly sleeps: readonly { readonly awakeNs: number; readonly asleepNs: number; readonly asks: boolean }[];
  /** The thread that had the lock meanwhile; 0 if none, and then it does not sleep. */
  readonly taker: number;
}

const ns = fc.nat(20_000);

export const episodes: fc.Arbitrary<Episode[]> = fc.array(
  fc.record({
    runsNs: fc.integer({ min: 1, max: 20_000 }),
    how: fc.constantFrom('call', 'call', 'call', 'offer', 'untimed offer', 'away') as fc.Arbitrary<Episode['how']>,
    call: fc.nat(3),
    callNs: ns,
    forced: fc.boolean(),
    sleeps: fc.array(fc.record({ awakeNs: ns, asleepNs: ns, asks: fc.boolean() }), { maxLength: 4 }),
    taker: fc.constantFrom(0, 2, 3),
  }),
  { maxLength: 60 },
);

/** A thread's life, recorded. Its number is 1, time begins at 0. */
export function live(life: readonly Episode[], capacity: number): { timeline: Timeline; endNs: number } {
  const recording = new Recording(['call', 'recv', 'send', 'poll'], true, capacity);
  let nowNs = 0;
  const recorder = new Recorder(recording.add(1, 'server'), () => nowNs);
  recording.begin();
  recorder.wants();
  recorder.holds(0);
  for (const episode of life) {
    nowNs += episode.runsNs;
    const { how, call, callNs, forced, sleeps, taker } = episode;
    const sleep = (asleepNs: number) => {
      recorder.sleeps();
      nowNs += asleepNs;
      recorder.wakes();
    };
    if (how === 'call') recorder.calls(call, nowNs);
    else if (how === 'away') recorder.leaves();
    else recorder.offers(how === 'offer');
    if (forced && taker !== 0) sleep(callNs);
    if (how === 'call' || how === 'away') {
      nowNs += callNs;
      recorder.wants();
    }
    for (const { awakeNs, asleepNs, asks } of taker === 0 ? [] : sleeps) {
      nowNs += awakeNs;
      sleep(asleepNs);
      if (asks) recorder.requests();
    }
    recorder.holds(taker);
  }
  return { timeline: recording.read(0, nowNs), endNs: nowNs };
}

/** The state of a thread at a time, by the last event not after it. */
export function stateAt({ threads: [thread] }: Timeline, atNs: number): string | undefined {
  const last = thread?.event.findLastIndex((word, i) => isStateNumber(word) && (thread?.atNs[i] ?? 0) <= atNs) ?? -1;
  return Object.keys(EVENT)[thread?.event[last] ?? -1];
}
