import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Futexes } from '../../../lock/machines/futex.ts';
import { TIMED_OUT } from '../../../lock/memory.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}

it('words that nobody else has are kept for as long as somebody may sleep on them', async () => {
  const made = (() => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    return { futexes: new Futexes(words), words: new WeakRef(words) };
  })();
  // A reference that was just made is held to the end of the task.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(made.words.deref()).toBeDefined();
  expect(made.futexes.wait(0, 0, 1e3)).toBe(TIMED_OUT);
});
