/** What the client's process and its thread say to each other. */
import type { ClientSetup, RoundTrips } from './protocol.ts';

/** What the thread is started with. */
export interface ClientThreadData {
  readonly setup: ClientSetup;
  /** An `Int32Array`: an {@link END}, set and notified when the run must end; how many echoes have come. */
  readonly words: SharedArrayBuffer;
}

/** Places of the words. */
export const END_WORD = 0;
export const ECHOES = 1;

/** Whether, and why, a run must end before its last message. */
export const END = { no: 0, budget: 1, stopped: 2 } as const;

/** To the thread. */
export type ClientThreadTask =
  /** Round trips that are not counted, so many at most, and for so long: without pauses, and once more with them. */
  | { readonly kind: 'settle'; readonly messages: number; readonly forMs: number }
  | { readonly kind: 'run'; readonly messages: number }
  | { readonly kind: 'close' };

/** From the thread. */
export type ClientThreadMessage =
  /** Connected; what interrupts it from another thread. */
  | { readonly kind: 'connected'; readonly handle: number }
  /** The round trips that are not counted have been made. */
  | { readonly kind: 'warm' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'ran'; readonly trips: RoundTrips };
