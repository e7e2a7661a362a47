/**
 * What a lock that is offered and a thread that waits for it do to each other, from how long their calls took. When the kernel looked at the word is not
 * known, but in which offer it did, if the wait came back at once: it is taken to have been in the middle of that one's call, on average.
 */
import { percentile, sortSamples } from '../figures/statistics.ts';
import { type Call, endNs, type OfferedWaits } from './calibrate-offering.ts';
import { median, quantilesOf } from './calibrate-samples.ts';
import type { WakeUp } from './calibrate-waking.ts';
import type { Profile } from './profile.ts';

const LINES_OF_WAIT = 2;
/** A wait is over after one; those that are held up may be in a few. */
const OFFERS_IN_A_WAIT = 8;

/**
 * How a wait and an offer that meet hold each other up. Those that are the first for long are another matter: both are cold.
 *
 * @param futexCallNs a call that wakes nobody, where nobody waits
 * @param lineNs a cache line: a wait takes two from the CPU that offers, which are counted by themselves: the word's, and that of the
 * kernel's queue
 * @returns undefined if none have met
 */
export function contentionOf(
  rounds: readonly Pick<OfferedWaits, 'returns' | 'vain'>[],
  futexCallNs: number,
  lineNs: number,
): Profile['lock']['contention'] {
  const met = rounds.flatMap(meetings);
  if (met.length === 0) return undefined;
  const linesNs = LINES_OF_WAIT * lineNs;
  const shares = met.map((each) => (lookedAfterNs(each) - linesNs) / Math.max(1, each.wait.tookNs - linesNs));
  const share = percentile(sortSamples(shares), 50);
  return {
    waitNs: quantilesOf(met.map(({ wait }) => Math.max(0, wait.tookNs - linesNs))),
    looksAfter: Math.min(1, Math.max(0, Math.round(share * 100) / 100)),
    heldUpNs: quantilesOf(met.map(({ offer }) => Math.max(0, offer.tookNs - futexCallNs))),
  };
}

/**
 * Those that slept, by how long they had when they were woken: from the moment at which the kernel looked at the word, which is known from waits that met an
 * offer. If none has, it is taken to have looked at once.
 *
 * @param fromNs where each class begins, ascending; what is less than the first belongs to that, too
 * @param untilNs where the last one ends: who was woken later was interrupted before he slept
 */
export function wakeUpsByIdleTime(
  rounds: readonly OfferedWaits[],
  fromNs: readonly number[],
  untilNs: number,
): WakeUp[][] {
  const looksNs = rounds.flatMap(meetings).map(lookedAfterNs);
  const lookNs = looksNs.length > 0 ? median(looksNs) : 0;
  const wakes = rounds.flatMap(({ wakeUps }) => wakeUps);
  return fromNs.map((ns, at) => {
    const lessThanNs = fromNs[at + 1] ?? untilNs;
    return wakes.filter(({ offeredAfterNs }) => {
      const idleNs = offeredAfterNs - lookNs;
      return (at === 0 || idleNs >= ns) && idleNs < lessThanNs;
    });
  });
}

/** A wait and an offer that was under way at the same time. */
interface Meeting {
  readonly wait: Call;
  readonly offer: Call;
}

/** After how long the kernel looked at the word. */
function lookedAfterNs({ wait, offer }: Meeting): number {
  return offer.atNs + offer.tookNs / 2 - wait.atNs;
}

/** Each wait that came back at once, but those that were the first for a message, with the offer it was in for longest. */
function meetings({ returns, vain }: Pick<OfferedWaits, 'returns' | 'vain'>): Meeting[] {
  const met: Meeting[] = [];
  let next = 0;
  for (const wait of returns) {
    if (wait.isFirst) continue;
    while (next < vain.length && endNs(vain[next] as Call) <= wait.atNs) next++;
    const within = vain.slice(next, next + OFFERS_IN_A_WAIT).filter(({ atNs }) => atNs < endNs(wait));
    const longest = within.toSorted((a, b) => togetherNs(wait, b) - togetherNs(wait, a))[0];
    if (longest !== undefined && !longest.isFirst) met.push({ wait, offer: longest });
  }
  return met;
}

function togetherNs(a: Call, b: Call): number {
  return Math.min(endNs(a), endNs(b)) - Math.max(a.atNs, b.atNs);
}

/**
 * What an offer's call takes more that is the first for half a millisecond, since nobody waited: though its thread worked all the time.
 *
 * @returns an amount for each such call; 0, once, if there was none
 */
export function coldOffersOf(rounds: readonly Pick<OfferedWaits, 'vain'>[]): readonly number[] {
  const moreNs = rounds.flatMap(({ vain }) => {
    const warmNs = median(vain.filter(({ isFirst }) => !isFirst).map(({ tookNs }) => tookNs));
    return vain.filter(({ isFirst }) => isFirst).map(({ tookNs }) => Math.max(0, tookNs - warmNs));
  });
  return moreNs.length > 0 ? moreNs : [0];
}
