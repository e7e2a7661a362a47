/** The recording of all threads under one lock: who has which ring, and what they say together. */
import { countEvents, createRing, RING_EVENTS, readRing } from './ring.ts';
import { cut, EVENT, isStateNumber, type ThreadTimeline, type Timeline } from './timeline.ts';

interface RecordedThread {
  readonly name: string;
  readonly role: ThreadTimeline['role'];
  readonly ring: SharedArrayBuffer;
  /** How many of its events were written before the last {@link Recording.begin}. */
  before: number;
}

export class Recording {
  readonly #threads = new Map<number, RecordedThread>();
  readonly #calls: readonly string[];
  readonly #exclusive: boolean;
  readonly #capacity: number;

  /**
   * @param calls what the numbers of calls mean that its threads are told
   * @param exclusive whether one thread at a time holds the lock
   * @param capacity how many of its last events each thread keeps: `createRing`
   */
  constructor(calls: readonly string[], exclusive: boolean, capacity = RING_EVENTS) {
    this.#calls = calls;
    this.#exclusive = exclusive;
    this.#capacity = capacity;
  }

  /**
   * The ring of a new thread. If its number was another's before, that one is forgotten, and its name free. The first thread of a server is
   * called the server.
   *
   * @param thread its number under the lock
   */
  add(thread: number, role: ThreadTimeline['role']): SharedArrayBuffer {
    this.#threads.delete(thread);
    const name = this.#freeName(role);
    const ring = createRing(this.#capacity);
    this.#threads.set(thread, { name, role, ring, before: 0 });
    return ring;
  }

  #freeName(role: ThreadTimeline['role']): string {
    const taken = [...this.#threads.values()].map(({ name }) => name);
    if (role === 'server' && !taken.includes('server')) return 'server';
    const kind = role === 'spinner' ? 'CPU thread' : 'connection';
    let number = 1;
    while (taken.includes(`${kind} ${number}`)) number++;
    return `${kind} ${number}`;
  }

  /** From now on events that are overwritten are counted as lost. */
  begin(): void {
    for (const thread of this.#threads.values()) thread.before = countEvents(thread.ring);
  }

  /**
   * What every thread has done. They may go on meanwhile.
   *
   * @param sinceNs on the machine's clock, as all times in the answer
   */
  read(sinceNs: number, untilNs: number): Timeline {
    let fromNs = Math.round(sinceNs);
    const lastNs = Math.round(untilNs);
    const threads: ThreadTimeline[] = [];
    for (const [thread, { name, role, ring, before }] of this.#threads) {
      const { atNs, word, detail, overwritten } = readRing(ring, fromNs, isStateNumber);
      threads.push({
        thread,
        name,
        role,
        lostEvents: Math.max(0, overwritten - before),
        atNs: atNs.map(Math.round),
        event: word,
        by: detail,
      });
      // Before its first state that is left nobody knows what it did.
      if (overwritten > 0) fromNs = Math.max(fromNs, Math.round(atNs[word.findIndex(isStateNumber)] ?? lastNs));
    }
    fromNs = Math.min(fromNs, lastNs);
    if (this.#exclusive) settleOffers(threads);
    return {
      fromNs,
      untilNs: lastNs,
      calls: [...this.#calls],
      threads: threads.map((thread) => cut(thread, fromNs, lastNs)),
    };
  }
}

/**
 * Who offers the lock at a yield point writes that down when he sees that it was taken. He may lose his CPU before: then he times the
 * offer too late, if he counts ticks and has not looked at the clock, or has not written it yet when he is read. The offer was before
 * the next thread had the lock, which did look at the clock: at the latest then.
 */
function settleOffers(threads: readonly ThreadTimeline[]): void {
  const acquired = threads
    .flatMap(({ thread, atNs, event }) => atNs.flatMap((at, i) => (event[i] === EVENT.runs ? [{ at, thread }] : [])))
    .sort((a, b) => a.at - b.at);
  const places = new Map(threads.map(({ thread }) => [thread, [] as number[]]));
  for (const [place, { thread }] of acquired.entries()) places.get(thread)?.push(place);
  for (const { thread, atNs, event, by } of threads) {
    let runs = -1;
    const lostAfter = (run: number) => acquired[(places.get(thread)?.[run] ?? Infinity) + 1]?.at;
    for (const [i, word] of event.entries()) {
      if (word === EVENT.runs) runs++;
      if (word !== EVENT['drop-honoured']) continue;
      const lostNs = lostAfter(runs);
      if (lostNs === undefined || lostNs >= (atNs[i] as number)) continue;
      // The offer and, the event after it, the wish.
      const offeredNs = Math.max(lostNs, atNs[i - 1] ?? lostNs);
      atNs[i] = offeredNs;
      if (i + 1 < atNs.length) atNs[i + 1] = offeredNs;
    }
    const lostNs = lostAfter(runs);
    if (lostNs === undefined || event.findLast(isStateNumber) !== EVENT.runs) continue;
    atNs.push(lostNs, lostNs);
    event.push(EVENT['drop-honoured'], EVENT.wants);
    by.push(0, 0);
  }
}
