/**
 * What will happen when: a binary heap of numbers, in arrays of numbers, since a simulated second has a million of these. Events of
 * the same time come in the order in which they were put in, so that nothing depends on how the heap is made.
 *
 * One that is put in before all others is kept in front of the heap, and mostly taken out again before another comes before it: a
 * thread that pays for what it does next makes such an event and waits for it.
 *
 * Nothing is ever taken out of the middle. Whoever puts in an event that may be overtaken by another gives it a generation, and
 * ignores it when it comes with an old one.
 */

const FIRST_CAPACITY = 64;

export class EventQueue {
  #times = new Float64Array(FIRST_CAPACITY);
  #orders = new Float64Array(FIRST_CAPACITY);
  #whats = new Int32Array(FIRST_CAPACITY);
  #generations = new Int32Array(FIRST_CAPACITY);
  #size = 0;
  /** The event in front of the heap; its time is `Infinity` if there is none. */
  #frontNs = Infinity;
  #frontWhat = 0;
  #frontGeneration = 0;

  /** How many events have been put in so far. */
  made = 0;
  /** Time of the earliest event; `Infinity` when there is none. */
  nextNs = Infinity;
  /** The event last taken out by {@link pop}. */
  what = 0;
  generation = 0;

  /** How many events there are. */
  get size(): number {
    return this.#frontNs === Infinity ? this.#size : this.#size + 1;
  }

  push(atNs: number, what: number, generation: number): void {
    if (atNs < this.nextNs && this.#frontNs === Infinity) {
      this.made++;
      this.nextNs = this.#frontNs = atNs;
      this.#frontWhat = what;
      this.#frontGeneration = generation;
      return;
    }
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const orders = this.#orders;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // One that is put in later is behind those of its time.
      if ((times[parent] as number) <= atNs) break;
      this.#move(parent, at);
      at = parent;
    }
    times[at] = atNs;
    orders[at] = this.made++;
    this.#whats[at] = what;
    this.#generations[at] = generation;
    if (atNs < this.nextNs) this.nextNs = atNs;
  }

  /** Takes the earliest event out: it is in {@link what} and {@link generation}, its time is the {@link nextNs} of before. */
  pop(): void {
    const times = this.#times;
    // Of the same time is only what was put in after it.
    if (this.#frontNs === this.nextNs) {
      this.what = this.#frontWhat;
      this.generation = this.#frontGeneration;
      this.#frontNs = Infinity;
      this.nextNs = this.#size === 0 ? Infinity : (times[0] as number);
      return;
    }
    const orders = this.#orders;
    this.what = this.#whats[0] as number;
    this.generation = this.#generations[0] as number;
    const last = --this.#size;
    const time = times[last] as number;
    const order = orders[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#before(child + 1, child)) child++;
      const childTime = times[child] as number;
      if (time < childTime || (time === childTime && order < (orders[child] as number))) break;
      this.#move(child, at);
      at = child;
    }
    this.#move(last, at);
    const firstNs = last === 0 ? Infinity : (times[0] as number);
    this.nextNs = Math.min(firstNs, this.#frontNs);
  }

  #before(a: number, b: number): boolean {
    const times = this.#times;
    const difference = (times[a] as number) - (times[b] as number);
    return difference < 0 || (difference === 0 && (this.#orders[a] as number) < (this.#orders[b] as number));
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#whats[to] = this.#whats[from] as number;
    this.#generations[to] = this.#generations[from] as number;
  }

  #grow(): void {
    const larger = <Numbers extends Float64Array | Int32Array>(copy: Numbers, numbers: Numbers): Numbers => {
      copy.set(numbers);
      return copy;
    };
    const capacity = 2 * this.#times.length;
    this.#times = larger(new Float64Array(capacity), this.#times);
    this.#orders = larger(new Float64Array(capacity), this.#orders);
    this.#whats = larger(new Int32Array(capacity), this.#whats);
    this.#generations = larger(new Int32Array(capacity), this.#generations);
  }
}
