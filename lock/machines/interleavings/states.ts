/**
 * States as short strings, so that a `Map` can tell the known from the new: a few UTF-16 units for who sleeps, the words, where
 * each thread stands, and the watchers' numbers.
 */
import type { Watch } from './claims.ts';
import type { World } from './world.ts';

/** Positions have numbers that fit into one unit. */
export const MAX_POSITIONS = 0x1_0000;

/** Writes the state of a world and of the watch over it. */
export function encodeState(world: World, watch: Watch): string {
  let text = String.fromCharCode(world.asleep);
  for (const value of world.words) text += String.fromCharCode(value & 0xffff, value >>> 16);
  for (const [thread, piece] of world.pieceOf.entries()) {
    text += String.fromCharCode(piece, world.positions[thread]?.id ?? 0);
  }
  for (const state of watch.states) text += String.fromCharCode(state);
  return text;
}

/** Puts a world, and the watch over it, into a state that was written. What follows it in the text is left alone. */
export function decodeState(text: string, world: World, watch: Watch): void {
  let at = 0;
  const unit = () => text.charCodeAt(at++);
  world.asleep = unit();
  for (let word = 0; word < world.words.length; word++) world.words[word] = unit() | (unit() << 16);
  for (const thread of world.actors.keys()) world.moveTo(thread, unit(), unit());
  for (let i = 0; i < watch.states.length; i++) watch.states[i] = unit();
}
