/** What `convoy calibrate` and its other thread say to each other. */

export interface PartnerTask {
  /** `sleeper`: sleeps, and says when it woke. `busy`: keeps a CPU. `toucher`: never sleeps, and takes a cache line each turn. */
  readonly kind: 'sleeper' | 'busy' | 'toucher';
  /** How long a sleeper works before each sleep; 0: not at all. */
  readonly workMs: number;
  /** The CPU it runs on. */
  readonly cpu: number;
  /** An `Int32Array`: {@link WORD}. */
  readonly words: SharedArrayBuffer;
  /** One double: when the sleeper woke, on the machine's clock. */
  readonly wokeAtNs: SharedArrayBuffer;
}

/** What is where in the words. */
export const WORD = {
  /** Counted up to wake the sleeper; -1 ends it. */
  turn: 0,
  /** The turn after which it last went to sleep. */
  asleep: 32,
  /** The turn it last saw. */
  seen: 64,
  /** Whether it slept before that. */
  slept: 65,
  end: 96,
  /** What a toucher takes to its CPU. */
  touched: 128,
} as const;
