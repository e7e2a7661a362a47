/** The keys that were typed: when, and what became of each. What the strip, the figures and the table are made of. */
import type { DemoSetup } from '../messages.ts';
import { meanOf } from './format.ts';

/** Older ones are on no picture any more, and their lag is in the tallies. */
const KEPT_KEYS = 5_000;
/** How long a key counts as under way after it was pressed, and a share of the lock as of now. */
const LATE_MS = 1_000;

export interface TypedKey {
  readonly pressedMs: number;
  /** Null: no answer yet. */
  lagMs: number | null;
}

/** All keys of one setting. */
export interface Tally {
  readonly setup: DemoSetup;
  /** Of the keys that are counted. */
  readonly lagsMs: number[];
  /** Of each, how long the event loop took. */
  readonly loopsMs: number[];
  /** In what share of the time a CPU thread had the lock, for each piece of time in which a key was under way. */
  readonly held: number[];
}

/** When another setting took over. */
export interface Switch {
  readonly atMs: number;
  readonly setup: DemoSetup;
}

export class TypedKeys {
  readonly keys: TypedKey[] = [];
  readonly switches: Switch[] = [];
  /** One for each setting, in the order in which they were first tried. */
  readonly tallies: Tally[] = [];
  /** The same of the last second, whatever was typed. */
  readonly #held: { readonly atMs: number; readonly share: number }[] = [];
  readonly #waiting = new Map<number, TypedKey>();
  #nextId = 0;

  /** How many have no answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** When the oldest of them was pressed; null if there is none. */
  get oldestMs(): number | null {
    return this.#waiting.values().next().value?.pressedMs ?? null;
  }

  /** The setting that runs now. */
  get tally(): Tally | undefined {
    const now = this.switches.at(-1)?.setup;
    return this.tallies.find(({ setup }) => now !== undefined && isSame(setup, now));
  }

  /** Another setting runs from now on. */
  switchTo(setup: DemoSetup, atMs: number): void {
    this.switches.push({ atMs, setup });
    if (this.tally === undefined) this.tallies.push({ setup, lagsMs: [], loopsMs: [], held: [] });
    this.#held.length = 0;
  }

  /** @returns the number to send with it */
  press(pressedMs: number): number {
    const key = { pressedMs, lagMs: null };
    this.#waiting.set(this.#nextId, key);
    this.keys.push(key);
    if (this.keys.length > KEPT_KEYS) this.keys.shift();
    return this.#nextId++;
  }

  /** @returns its lag; null of a key nobody knows */
  answer({ id, loopMs, counted }: { id: number; loopMs: number; counted: boolean }, nowMs: number): number | null {
    const key = this.#waiting.get(id);
    if (key === undefined) return null;
    this.#waiting.delete(id);
    key.lagMs = nowMs - key.pressedMs;
    if (counted) {
      this.tally?.lagsMs.push(key.lagMs);
      this.tally?.loopsMs.push(loopMs);
    }
    return key.lagMs;
  }

  /** In what share of the time since the last call a CPU thread had the lock. */
  hold(share: number, nowMs: number): void {
    this.#held.push({ atMs: nowMs, share });
    while (nowMs - (this.#held[0]?.atMs ?? nowMs) > LATE_MS) this.#held.shift();
    const last = this.keys.at(-1);
    if (this.waiting > 0 || (last !== undefined && nowMs - last.pressedMs < LATE_MS)) this.tally?.held.push(share);
  }

  /** In what share of the last second a CPU thread had the lock; null if that is not known. */
  get heldOfLate(): number | null {
    return meanOf(this.#held.map(({ share }) => share));
  }
}

function isSame(a: DemoSetup, b: DemoSetup): boolean {
  return a.policy === b.policy && a.spinners === b.spinners && a.priority === b.priority;
}
