/**
 * `npm run bench:demo`: how long a key lags in `convoy demo` under py32 and under priority, in blocks that take turns. It speaks to the demo
 * as its page does, so that no browser uses the CPUs; the page itself is typed into by a test. Prints; asserts nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, sortSamples } from '../bench/figures/statistics.ts';
import { Page, startDemo } from './command/demo.ts';

const POLICIES = ['py32', 'priority'] as const;
const SPINNERS = [1, 4];
const BLOCKS = 4;
const KEYS = 10;
/** Of somebody who types fast. */
const KEY_EVERY_MS = 150;
const PATIENCE_MS = 20_000;

const { run, address } = await startDemo();
const page = new Page(address);
const paintedMs = new Map<number, number>();
page.socket.on('message', (data) => {
  const message: unknown = JSON.parse(String(data));
  if (isPainted(message)) paintedMs.set(message.id, performance.now());
});
await page.hear('hello');

for (const spinners of SPINNERS) {
  const lagsMs = { py32: [] as number[], priority: [] as number[] };
  for (let block = 0; block < BLOCKS; block++) {
    for (const policy of POLICIES) {
      const from = page.heard.length;
      page.switchTo(policy, { spinners });
      await page.state('running', policy, from);
      lagsMs[policy].push(...(await typeBlock()));
    }
  }
  const medianMs = (policy: (typeof POLICIES)[number]) => percentile(sortSamples(lagsMs[policy]), 50);
  const [slowMs, fastMs] = [medianMs('py32'), medianMs('priority')];
  console.log(
    `${BLOCKS * KEYS} keys each beside ${spinners} CPU thread${spinners === 1 ? '' : 's'}: median lag ${slowMs.toFixed(1)} ms under py32, ` +
      `${fastMs.toFixed(1)} ms under priority, a ratio of ${(slowMs / fastMs).toFixed(1)}`,
  );
}

run.process.kill('SIGTERM');
await run.finished();

/** Types some keys at a typist's pace, whether or not they are answered; returns the lag of each, in ms. */
async function typeBlock(): Promise<number[]> {
  const pressed: { id: number; atMs: number }[] = [];
  for (let key = 0; key < KEYS; key++) {
    pressed.push({ atMs: performance.now(), id: page.press('a') });
    await delay(KEY_EVERY_MS);
  }
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (pressed.some(({ id }) => !paintedMs.has(id))) {
    if (performance.now() > deadlineMs) throw new Error('a key was not answered');
    await delay(5);
  }
  return pressed.map(({ id, atMs }) => (paintedMs.get(id) as number) - atMs);
}

function isPainted(message: unknown): message is { readonly type: 'painted'; readonly id: number } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'painted';
}
