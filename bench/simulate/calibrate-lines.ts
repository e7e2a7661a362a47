/** What a cache line costs that another CPU had last, measured. */
import { WORD } from './calibrate-messages.ts';
import { type Places, untilSeen, withPartners } from './calibrate-places.ts';
import { timed } from './calibrate-samples.ts';

const TIMES = 2_000;

/** By a clock around it: an atomic step that finds its cache line on another CPU, and one more that finds it here, each many times; ns. */
export async function fetches(places: Places): Promise<{ there: number[]; here: number[] }> {
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
