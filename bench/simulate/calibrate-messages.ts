/** What `convoy calibrate` and its other threads say to each other. */
import type { Socket } from '../../net/posix.ts';

/** What the other thread does. */
export type Partner =
  /** Sleeps, and says when it woke; before each sleep it works for so long, 0: not at all. When that was, on the machine's clock: one double. */
  | { readonly kind: 'sleeper'; readonly workMs: number; readonly wokeAtNs: SharedArrayBuffer }
  /** Keeps a CPU. */
  | { readonly kind: 'busy' }
  /** Never sleeps, and takes a cache line each turn. */
  | { readonly kind: 'toucher' }
  /** Sends a message and waits for it to come back, with pauses, until it is told to end. */
  | { readonly kind: 'client'; readonly socket: Socket; readonly messageBytes: number }
  /** Waits for a message, then for a lock of py27, and sends it back; and says at its end what it found: doubles, 0 where there is no more. */
  | {
      readonly kind: 'waiter';
      readonly socket: Socket;
      readonly messageBytes: number;
      readonly lock: SharedArrayBuffer;
      readonly leafNs: number;
      readonly found: { readonly slept: SharedArrayBuffer; readonly returned: SharedArrayBuffer };
    };

export type PartnerTask = Partner & {
  /** The CPU it runs on. */
  readonly cpu: number;
  /** An `Int32Array`: {@link WORD}. */
  readonly words: SharedArrayBuffer;
};

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
