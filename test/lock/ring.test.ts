import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createRing, readRing } from '../../lock/ring.ts';
import type { WriterTask } from './ring-writer-thread.ts';

const WRITER = resolve(import.meta.dirname, '../../dist/test/lock/ring-writer-thread.js');

it('what is read while the thread goes on writing is whole, in order and without a gap', async () => {
  const ring = createRing(256);
  const told = new SharedArrayBuffer(4);
  const writer = new Worker(WRITER, { workerData: { ring, told } satisfies WriterTask });
  let read = 0;
  let last = -1;
  try {
    await once(writer, 'online');
    while (read < 20_000) {
      const { atNs, word, detail, overwritten } = readRing(ring, Infinity, () => false);
      if (atNs.length === 0) continue;
      expect(atNs[0]).toBe(overwritten);
      expect(atNs).toEqual(Array.from(atNs, (_, i) => overwritten + i));
      expect(word).toEqual(atNs.map((n) => n % 5));
      expect(detail).toEqual(atNs.map((n) => n % 1_000));
      expect(atNs.at(-1)).toBeGreaterThanOrEqual(last);
      last = atNs.at(-1) as number;
      read += atNs.length;
    }
  } finally {
    Atomics.store(new Int32Array(told), 0, 1);
    await once(writer, 'exit');
  }
});

it.each([0, 16, 100])('a ring of %s events is refused', (capacity) => {
  expect(() => createRing(capacity)).toThrow(RangeError);
});
