/**
 * What the page and the demo say to each other over one WebSocket, as JSON. What a page says is checked against a schema: whoever has
 * the address can say anything. The page itself imports types from here and nothing else: zod stays out of the browser.
 */
import { z } from 'zod';
import type { LockColumns } from './lock-columns.ts';

export const MAX_SPINNERS = 8;
/** Keys that may wait for their answer. A key held down makes 30 a second, and a starving event loop answers none. */
export const MAX_WAITING_KEYS = 100;
/** A key is a character, or a control character: `\n`, `\b`, `\x7f`. An emoji of a family is 11 code units. */
const MAX_KEY_LENGTH = 16;

/** What the event loop runs under, and beside what. */
export const demoSetupSchema = z.strictObject({
  /** Label of one of the policies the page was offered. */
  policy: z.string().max(1_000),
  /** CPU threads; 0: the event loop has the lock to itself. */
  spinners: z.int().min(0).max(MAX_SPINNERS),
  /** What CPU threads set their priority to; the event loop has 0. */
  priority: z.literal([-1, 0, 1]),
});
export type DemoSetup = z.infer<typeof demoSetupSchema>;

/** From the page. */
export const fromPageSchema = z.discriminatedUnion('type', [
  /** A key was pressed. Answered by `painted` with the same id. */
  z.strictObject({
    type: z.literal('key'),
    id: z.int().nonnegative(),
    text: z.string().min(1).max(MAX_KEY_LENGTH),
  }),
  /** Switch to this, from whatever runs; the same once more starts it again. */
  z.strictObject({ type: z.literal('setup'), setup: demoSetupSchema }),
]);
export type FromPage = z.infer<typeof fromPageSchema>;

/** A policy the page can choose. */
export interface PolicyChoice {
  readonly label: string;
  readonly summary: string;
  /** Whether it knows priorities, or may know them. */
  readonly hasPriorities: boolean;
}

/** How far the event loop's process is. */
export type ProcessState =
  | { readonly kind: 'starting' | 'running' | 'ending'; readonly setup: DemoSetup }
  | { readonly kind: 'failed'; readonly setup: DemoSetup; readonly message: string };

/** To the page. */
export type ToPage =
  /** The first message. */
  | {
      readonly type: 'hello';
      readonly policies: readonly PolicyChoice[];
      readonly setup: DemoSetup;
      readonly maxSpinners: number;
      readonly maxWaitingKeys: number;
    }
  | { readonly type: 'state'; readonly state: ProcessState }
  /** Something that happened, for the reader. */
  | { readonly type: 'notice'; readonly text: string }
  /** The event loop has answered a key. */
  | {
      readonly type: 'painted';
      readonly id: number;
      /** As the event loop sent it back. */
      readonly text: string;
      /** From when the demo had sent the key to the event loop until its answer was there. */
      readonly loopMs: number;
      /** False where the key waited for a switch: its lag says nothing about the lock. */
      readonly counted: boolean;
    }
  /** Who held the lock, since the last message of this kind. */
  | { readonly type: 'lock'; readonly lock: LockColumns };
