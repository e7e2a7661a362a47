/** Thread body of `ring.test.ts`: writes as fast as it can until it is told to end. */
import { workerData } from 'node:worker_threads';
import { RingWriter } from '../../lock/ring.ts';

export interface WriterTask {
  readonly ring: SharedArrayBuffer;
  /** One `Int32Array` word: not 0 when it is told to end. */
  readonly told: SharedArrayBuffer;
}

const { ring, told } = workerData as WriterTask;
const writer = new RingWriter(ring, 0);
const end = new Int32Array(told);
for (let n = 0; Atomics.load(end, 0) === 0; n++) {
  writer.write(n, n % 5, n % 1_000);
  // Four at once, as a recorder does.
  if (n % 4 === 3) writer.publish();
}
