/**
 * `npm run bench:recorder`: what it costs to record. Two processes, one of which records, do the same work in turn, in turns of a few
 * milliseconds, on one and the same CPU: of a shared machine each CPU changes its speed by half within seconds, for itself, and two
 * processes on two CPUs would be told apart by that. Each pair of processes has the code that its engine made of the program, so
 * that many pairs are measured; their median counts, and its interval. A pair of which neither records shows what the method itself adds.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import { POLICIES } from '../../lock/policies/index.ts';
import { bootstrapInterval } from '../figures/bootstrap.ts';
import { placeProcess } from '../processes/affinity.ts';
import { allowedCpus, parseCpuList } from '../processes/cpu-list.ts';
import { measureLeafAloneNs } from '../run/run.ts';
import type { RecordedCosts, RecordedWork } from './recorded-work.ts';

const WORK = new URL('recorded-work.js', import.meta.url);
const PAIRS = 15;
const WARMUP_TURNS = 20;
/** Even: each goes first as often as the other. */
const TURNS = 60;
const SEED = 1;

const leafNs = measureLeafAloneNs();
const cpu = parseCpuList(allowedCpus())?.at(-1) ?? 0;
const names = Object.keys(POLICIES);
const table = new Table({
  head: ['policy', 'CPU thread slower by', 'message, lock free', 'message, stolen at each of 3 calls'],
  style: { head: [], border: [] },
});

for (const [policy, records] of [...names.map((name) => [name, true] as const), ['py27', false] as const]) {
  const pairs: RecordedCosts[] = [];
  for (let pair = 0; pair < PAIRS; pair++) pairs.push(await measurePair(policy, records));
  const all = (cost: keyof RecordedCosts, unit: string, digits: number) =>
    write(
      pairs.map((pair) => pair[cost]),
      unit,
      digits,
    );
  table.push([
    records ? policy : `${policy}, neither recorded`,
    all('spinnerNs', '%', 2),
    all('messageNs', 'ns', 0),
    records ? all('stolenMessageNs', 'ns', 0) : '',
  ]);
}
process.stdout.write(
  `${table.toString()}\nmedians of ${PAIRS} pairs of processes, each of ${TURNS} turns; in brackets the 95 % interval of the median\n`,
);

/** `0.31 % (0.12 to 0.55)`. */
function write(values: readonly number[], unit: string, digits: number): string {
  const interval = bootstrapInterval([values], ([drawn = []]) => median([...drawn]), SEED);
  const between = interval === null ? '' : ` (${interval.low.toFixed(digits)} to ${interval.high.toFixed(digits)})`;
  return `${median([...values]).toFixed(digits)} ${unit}${between}`;
}

/** What recording adds, of one pair of processes: to the CPU thread in per cent, to messages in nanoseconds. */
async function measurePair(policy: string, records: boolean): Promise<RecordedCosts> {
  const [plain, recorded] = await Promise.all([
    start({ policy, recorded: false, leafNs }),
    start({ policy, recorded: records, leafNs }),
  ]);
  const turns: RecordedCosts[] = [];
  for (let turn = -WARMUP_TURNS; turn < TURNS; turn++) {
    const inOrder = turn % 2 === 0 ? [plain, recorded] : [recorded, plain];
    const costs = new Map<ChildProcess, RecordedCosts>();
    for (const each of inOrder) costs.set(each, await measure(each));
    const [without, including] = [costs.get(plain), costs.get(recorded)];
    if (turn < 0 || without === undefined || including === undefined) continue;
    turns.push({
      spinnerNs: (including.spinnerNs / without.spinnerNs - 1) * 100,
      messageNs: including.messageNs - without.messageNs,
      stolenMessageNs: including.stolenMessageNs,
    });
  }
  const ended = [plain, recorded].map((each) => once(each, 'exit'));
  for (const each of [plain, recorded]) each.disconnect();
  await Promise.all(ended);
  const medianOf = (cost: keyof RecordedCosts) => median(turns.map((turn) => turn[cost]));
  return {
    spinnerNs: medianOf('spinnerNs'),
    messageNs: medianOf('messageNs'),
    stolenMessageNs: medianOf('stolenMessageNs'),
  };
}

async function start(work: RecordedWork): Promise<ChildProcess> {
  const child = fork(WORK, [JSON.stringify(work)]);
  await once(child, 'message');
  placeProcess(child.pid as number, [cpu]);
  return child;
}

async function measure(child: ChildProcess): Promise<RecordedCosts> {
  child.send('measure');
  const [costs] = (await once(child, 'message')) as [RecordedCosts];
  return costs;
}
