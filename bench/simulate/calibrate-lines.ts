/** What a cache line costs that another CPU had last, measured. */
import { WORD } from './calibrate-messages.ts';
import { type Places, untilSeen, withPartners } from './calibrate-places.ts';
import { median, timed } from './calibrate-samples.ts';

const TIMES = 2_000;

/** How long an atomic step took, by a clock around it, ns: its cache line on another CPU, and here. */
interface Fetches {
  readonly there: readonly number[];
  readonly here: readonly number[];
}

/** Makes a step that finds its cache line on another CPU, and one more that finds it here, each many times. */
export async function fetches(places: Places): Promise<Fetches> {
  return withPartners(places, [{ kind: 'toucher' }], (words) => {
    const step = () => void Atomics.add(words, WORD.touched, 1);
    const there: number[] = [];
    const here: number[] = [];
    for (let turn = 1; turn <= TIMES; turn++) {
      Atomics.store(words, WORD.turn, turn);
      untilSeen(words, turn, places);
      there.push(...timed(1, step));
      here.push(...timed(1, step));
    }
    // The engine compiles meanwhile.
    return { there: there.slice(TIMES / 10), here: here.slice(TIMES / 10) };
  });
}

/** What the first takes more than the second, ns; 0 on one CPU, and on two that a hypervisor has on one core just then. */
export function lineNsOf(rounds: readonly Fetches[]): number {
  const medianOf = (where: keyof Fetches) => median(rounds.flatMap((round) => round[where]));
  return Math.max(0, medianOf('there') - medianOf('here'));
}
