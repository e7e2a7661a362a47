/**
 * The sockets a thread waits for, as poll(2) takes them: an array of `struct pollfd`, kept and changed from one poll to the next.
 *
 * | 32-bit word | fields |
 * | --- | --- |
 * | 2i | `int fd` |
 * | 2i + 1 | low half `short events`, what is asked for; high half `short revents`, what the kernel found |
 */

/** What a socket can be waited for. That it failed, or that its peer is gone, ends the wait too: the next call on it says so. */
export const READABLE = 0x1;
export const WRITABLE = 0x4;

const WORDS_PER_POLLFD = 2;
const FIRST_CAPACITY = 16;

/** @typeParam Owner who waits for a socket */
export class PollSet<Owner = unknown> {
  #pollfds = new Int32Array(FIRST_CAPACITY * WORDS_PER_POLLFD);
  readonly #owners: Owner[] = [];
  #tookNs = 0;
  #sinceLastNs = 0;
  #endedNs: number | undefined;

  /** The array. Of its entries only the first {@link size} count. */
  get pollfds(): Int32Array {
    return this.#pollfds;
  }

  /** How long the last poll took. */
  get tookNs(): number {
    return this.#tookNs;
  }

  /** From the end of the poll before to its end. */
  get sinceLastNs(): number {
    return this.#sinceLastNs;
  }

  /** Called after each poll, by who keeps the time: when it began and ended, in nanoseconds of any clock. */
  noteTimes(beganNs: number, endedNs: number): void {
    this.#tookNs = endedNs - beganNs;
    this.#sinceLastNs = endedNs - (this.#endedNs ?? beganNs);
    this.#endedNs = endedNs;
  }

  /** How many wait. */
  get size(): number {
    return this.#owners.length;
  }

  /**
   * Adds a socket, at the end.
   *
   * @param events {@link READABLE} or {@link WRITABLE}
   */
  add(socket: number, events: number, owner: Owner): void {
    const at = this.size * WORDS_PER_POLLFD;
    if (at === this.#pollfds.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#pollfds);
      this.#pollfds = larger;
    }
    this.#pollfds[at] = socket;
    this.#pollfds[at + 1] = events;
    this.#owners.push(owner);
  }

  /**
   * Takes out the sockets the last poll found ready.
   *
   * @param isThrough whether an owner is to be taken out all the same; asked about each, also those that are ready
   * @returns their owners, in the order in which they were added
   */
  takeReady(isThrough: (owner: Owner, ready: boolean) => boolean = () => false): Owner[] {
    const ready: Owner[] = [];
    const pollfds = this.#pollfds;
    let kept = 0;
    for (let i = 0; i < this.#owners.length; i++) {
      const owner = this.#owners[i] as Owner;
      const [from, to] = [i * WORDS_PER_POLLFD, kept * WORDS_PER_POLLFD];
      const isReady = (pollfds[from + 1] as number) >>> 16 !== 0;
      if (isThrough(owner, isReady) || isReady) {
        ready.push(owner);
      } else {
        pollfds[to] = pollfds[from] as number;
        pollfds[to + 1] = pollfds[from + 1] as number;
        this.#owners[kept] = owner;
        kept++;
      }
    }
    this.#owners.length = kept;
    return ready;
  }
}
