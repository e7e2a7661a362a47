/**
 * `npm run bench:recorder`: what it costs to record. Two threads do the same work in turn, one of them recorded, many times: what disturbs
 * one disturbs the other, and each engine compiles what it runs for itself.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import { type PolicySpec, readPolicySpec } from '../../lock/load-policy.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import type { RecordedCosts, RecordedWork } from '../../workers/recorded-work.ts';
import { measureLeafAloneNs } from '../run/run.ts';

const WORK = new URL('../../workers/recorded-work.js', import.meta.url);
/** How fast an engine's code comes out is partly luck: each pair of threads has its own. */
const PAIRS = 7;
const WARMUP_TURNS = 20;
const TURNS = 40;

const leafNs = measureLeafAloneNs();
const table = new Table({
  head: ['policy', `CPU thread slower by (${PAIRS} pairs)`, 'message, lock free', 'message, stolen at each of 3 calls'],
  style: { head: [], border: [] },
});

for (const name of Object.keys(POLICIES)) {
  const policy = await readPolicySpec(name);
  const pairs: RecordedCosts[] = [];
  for (let pair = 0; pair < PAIRS; pair++) pairs.push(await measurePair(policy));
  const shares = pairs.map(({ spinnerNs }) => (spinnerNs - 1) * 100);
  const added = (cost: keyof RecordedCosts) => `+${median(pairs.map((pair) => pair[cost])).toFixed(0)} ns`;
  table.push([
    name,
    `${median(shares).toFixed(1)} % (${Math.min(...shares).toFixed(1)} to ${Math.max(...shares).toFixed(1)})`,
    added('messageNs'),
    added('stolenMessageNs'),
  ]);
}
process.stdout.write(`${table.toString()}\n`);

/** What recording adds, of one pair of threads: to the CPU thread as a ratio, to messages in nanoseconds. */
async function measurePair(policy: PolicySpec): Promise<RecordedCosts> {
  const [plain, recorded] = [false, true].map(
    (recorded) => new Worker(WORK, { workerData: { policy, recorded, leafNs } satisfies RecordedWork }),
  ) as [Worker, Worker];
  const turns: RecordedCosts[] = [];
  for (let turn = -WARMUP_TURNS; turn < TURNS; turn++) {
    const without = await measure(plain);
    const including = await measure(recorded);
    if (turn < 0) continue;
    turns.push({
      spinnerNs: including.spinnerNs / without.spinnerNs,
      messageNs: including.messageNs - without.messageNs,
      stolenMessageNs: including.stolenMessageNs,
    });
  }
  for (const worker of [plain, recorded]) worker.postMessage('end');
  const medianOf = (cost: keyof RecordedCosts) => median(turns.map((turn) => turn[cost]));
  return {
    spinnerNs: medianOf('spinnerNs'),
    messageNs: medianOf('messageNs'),
    stolenMessageNs: medianOf('stolenMessageNs'),
  };
}

async function measure(worker: Worker): Promise<RecordedCosts> {
  worker.postMessage('measure');
  const [costs] = (await once(worker, 'message')) as [RecordedCosts];
  return costs;
}
