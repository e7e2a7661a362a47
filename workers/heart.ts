/**
 * How another thread learns that a policy's own code does not come back: shared words that a checker writes whenever it enters and
 * leaves that code. Nothing else can tell, since a thread in an endless loop answers no message.
 */

const INSIDE = 0;
const BEATS = 1;
const THREAD = 2;
const PIECE = 3;
const STEPS = 4;

const PIECES = ['acquire', 'release', 'look', 'set priority'] as const;

/** Shared memory for one heart. */
export function createHeart(): SharedArrayBuffer {
  return new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT);
}

/** The checker's side. */
export class Heart {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  enter(thread: number, piece: (typeof PIECES)[number], steps: number): void {
    this.#words[THREAD] = thread;
    this.#words[PIECE] = PIECES.indexOf(piece);
    this.#words[STEPS] = steps;
    Atomics.add(this.#words, BEATS, 1);
    Atomics.store(this.#words, INSIDE, 1);
  }

  leave(): void {
    Atomics.store(this.#words, INSIDE, 0);
  }
}

/** The side of the thread that looks on. */
export class HeartMonitor {
  readonly #words: Int32Array<SharedArrayBuffer>;
  #beats = -1;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /** Where the policy's code is, if it has been there since the last look. */
  stuck(): string | undefined {
    const inside = Atomics.load(this.#words, INSIDE) === 1;
    const beats = Atomics.load(this.#words, BEATS);
    const since = this.#beats;
    this.#beats = beats;
    if (!inside || beats !== since) return undefined;
    const [, , thread, piece = 0, steps] = this.#words;
    return `${PIECES[piece]} of thread ${thread}, after ${steps} steps,`;
  }
}
