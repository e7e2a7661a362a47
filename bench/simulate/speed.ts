/**
 * How fast the simulator is, and how its cost grows: the talk whole, then with more and more messages, then with more and more CPU
 * threads. One cell after the other in this process: what one core does. Run by `npm run bench:simulate`, with an engine that neither compiles
 * nor collects garbage on others beside it.
 */
import Table from 'cli-table3';
import { linearRegression } from 'simple-statistics';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { TALK_SERVERS } from '../../server/servers.ts';
import type { Scenario } from '../result/result.ts';
import { TALK_WORKLOAD } from '../result/talk-workload.ts';
import { type Effort, simulateCell } from './cell.ts';
import { loadProfile } from './profile.ts';

const TALK_POLICIES = ['py27', 'py32', 'pypy16', 'priority'];
const CPUS = 8;
const MESSAGES = [1_250, 2_500, 5_000, 10_000, 20_000];
const THREADS = [8, 32, 125, 250, 500, 1_000];

/** A cell, and what its simulation took. */
interface Simulated extends Effort {
  readonly cpuSeconds: number;
}

const profile = await loadProfile('c1.xlarge-2011');

async function simulate(
  server: string,
  policy: string,
  scenario: Scenario,
  { messages = 10_000, spinners = 1, budgetNs = 200e9 } = {},
): Promise<Simulated> {
  const workload = {
    ...TALK_WORKLOAD,
    messages,
    warmupMessages: 20,
    budgetNs,
    spinners,
    interpreterCostNs: profile.interpreterCostNs,
  };
  const spec = await readPolicySpec(policy);
  const cell = {
    server,
    policy: spec,
    scenario,
    cpus: CPUS,
    spinners,
    workload,
    profile,
    seed: 1,
    round: 1,
    records: false,
  };
  const before = process.cpuUsage();
  const { round, effort } = await simulateCell(cell);
  const { user, system } = process.cpuUsage(before);
  if (round.state !== 'measured') throw new Error(round.message);
  return { ...effort, cpuSeconds: (user + system) / 1e6 };
}

/** The exponent of the power of `x` that comes closest to `y`. */
function exponentOf(x: readonly number[], y: readonly number[]): string {
  const { m } = linearRegression(x.map((value, i) => [Math.log(value), Math.log(y[i] ?? 0)]));
  return m.toFixed(2);
}

function print(title: string, head: readonly string[], rows: readonly (string | number)[][]): void {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows)
    table.push(row.map((value) => (typeof value === 'number' ? value.toLocaleString('en') : value)));
  process.stdout.write(`\n${title}\n${table}\n`);
}

async function talk(): Promise<void> {
  const rows: (string | number)[][] = [];
  let [seconds, events, steps] = [0, 0, 0];
  for (const server of TALK_SERVERS) {
    const row: (string | number)[] = [server];
    for (const policy of TALK_POLICIES) {
      let both = 0;
      for (const scenario of ['unloaded', 'loaded'] as const) {
        const done = await simulate(server, policy, scenario);
        both += done.cpuSeconds;
        events += done.events;
        steps += done.steps;
      }
      row.push(both.toFixed(2));
      seconds += both;
    }
    rows.push(row);
  }
  print(
    `The talk: ${TALK_SERVERS.length} servers × ${TALK_POLICIES.length} policies, unloaded and loaded, 10,000 messages each, ${CPUS} CPUs; seconds of one core`,
    ['server', ...TALK_POLICIES],
    rows,
  );
  process.stdout.write(
    `${seconds.toFixed(1)} s in all, for ${events.toLocaleString('en')} events and ${steps.toLocaleString('en')} steps of policies\n`,
  );
}

/** Simulates one cell with each of the numbers, and prints how its cost grows with them. */
async function grow(
  title: string,
  numbers: readonly number[],
  options: (n: number) => { messages?: number; spinners?: number; budgetNs?: number },
  against: { readonly what: string; readonly of: (n: number) => number },
): Promise<void> {
  for (const policy of ['py32', 'py27']) {
    // The engine compiles in the first seconds: they are nobody's.
    await simulate('blocking', policy, 'loaded', options(numbers[0] ?? 1));
    const done: Simulated[] = [];
    for (const n of numbers) done.push(await simulate('blocking', policy, 'loaded', options(n)));
    print(
      `${title}, ${policy}, blocking, loaded, ${CPUS} CPUs`,
      ['', 'seconds', 'events', 'steps'],
      numbers.map((n, i) => [n, done[i]?.cpuSeconds.toFixed(3) ?? '', done[i]?.events ?? 0, done[i]?.steps ?? 0]),
    );
    const x = numbers.map(against.of);
    const exponents = (['cpuSeconds', 'events', 'steps'] as const).map((what) =>
      exponentOf(
        x,
        done.map((each) => each[what]),
      ),
    );
    process.stdout.write(`grow with ${against.what} to the power of ${exponents.join(', ')}\n`);
  }
}

await talk();
await grow('Messages', MESSAGES, (messages) => ({ messages, budgetNs: 1_000e9 }), { what: 'messages', of: (n) => n });
// The same simulated time for each number: under py32 a round trip lasts the longer the more threads want the lock.
await grow(
  'CPU threads, one simulated second',
  THREADS,
  (spinners) => ({ messages: 10_000, spinners, budgetNs: 1e9 }),
  {
    what: 'n log n',
    of: (n) => n * Math.log2(n),
  },
);
