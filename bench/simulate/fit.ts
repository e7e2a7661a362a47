/**
 * `npm run fit`: fits the profile `c1.xlarge-2011` to the talk's tables, and says how well that went: each figure, and how far off a
 * table is that was left out of the fit. Five numbers are free; the rest of the profile is the assumption written down below.
 *
 * Pattern search: one number after the other is tried larger and smaller, by a factor that shrinks when nothing helps. Every trial has
 * the same seed, so that the fit is a function, and the same on every machine. Takes some minutes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Piscina } from 'piscina';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { TALK_FIGURES, type TalkFigure } from '../figures/talk-figures.ts';
import { writeProfile } from '../profiles/write-profile.ts';
import type { Round, Workload } from '../result/result.ts';
import { TALK_WORKLOAD } from '../result/talk-workload.ts';
import type { CellSetup } from './cell.ts';
import { type Profile, profileSchema } from './profile.ts';
import type { SimulationTask } from './worker.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROFILE = resolve(ROOT, 'bench/simulate/profiles/c1.xlarge-2011.json');
const DOCUMENT = resolve(ROOT, 'docs/SIMULATOR.md');
const WORKER = new URL('./worker.js', import.meta.url).href;
const CPUS = 8;
const SEED = 1;
const MESSAGES = 200;
/** A cell that starves stops here; what it has is enough for its mean. */
const BUDGET_NS = 30e9;

/** The free numbers, each as a factor of what is assumed at first. */
const FREE = {
  wake: 'how long a thread takes to run once its waker has woken it',
  wakeCall: 'how long it takes its waker',
  calls: 'how long system calls and libzmq take',
  interpreter: 'work between two calls',
  interrupts: 'how often a CPU is interrupted',
} as const;
type Name = keyof typeof FREE;
type Factors = Readonly<Record<Name, number>>;
const NAMES = Object.keys(FREE) as Name[];
const FIRST: Factors = { wake: 1, wakeCall: 1, calls: 1.5, interpreter: 2, interrupts: 1.5 };
const FIRST_STEP = 1.6;
const LAST_STEP = 1.06;
const MIN_FACTOR = 0.05;
const MAX_FACTOR = 20;

/** What is assumed, for a paravirtual Xen guest of 2011 with Linux 2.6: magnitudes, to be scaled. */
function profileOf(factors: Factors): Profile {
  const scaled = (factor: number) => (ns: number) => Math.round(ns * factor);
  const wakeCallNs = scaled(factors.wakeCall)(3_000);
  // Assumed: the interrupt that wakes another CPU is the last thing the waker does, so that it is through before the other runs.
  const wake = (ns: number) => wakeCallNs + scaled(factors.wake)(ns);
  const call = scaled(factors.calls);
  return profileSchema.parse({
    name: 'c1.xlarge-2011',
    summary:
      'the 8-CPU Amazon EC2 instance of the talk: five numbers fitted to its tables by npm run fit, the others assumed',
    cpus: CPUS,
    interpreterCostNs: scaled(factors.interpreter)(10_000),
    leafNs: 145,
    lock: { atomicNs: 20, lineNs: 0, offerNs: 0, futexCallNs: 300, futexWakeNs: wakeCallNs, futexWaitNs: 300 },
    scheduler: {
      wakeIdleNs: [
        [0, wake(200)],
        [0.1, wake(2_000)],
        [0.5, wake(8_000)],
        [0.9, wake(20_000)],
        [0.99, wake(60_000)],
        [1, wake(300_000)],
      ],
      preemptNs: [
        [0, 2_000],
        [0.5, 4_000],
        [0.9, 10_000],
        [1, 50_000],
      ],
      switchNs: 2_000,
      sliceNs: 6_000_000,
      tickNs: 4_000_000,
      interrupts: {
        everyNs: scaled(1 / factors.interrupts)(4_000_000),
        durationNs: [
          [0, 2_000],
          [0.5, 5_000],
          [0.9, 15_000],
          [0.99, 60_000],
          [1, 500_000],
        ],
      },
      fairness: { kind: 'cfs', wakeupGranularityNs: 2_000_000, sleeperCreditNs: 3_000_000 },
    },
    timers: {
      pauseOvershootNs: [
        [0, 52_000],
        [0.5, 70_000],
        [0.9, 110_000],
        [0.99, 250_000],
        [1, 1_000_000],
      ],
      timeoutOvershootNs: [
        [0, 52_000],
        [0.5, 70_000],
        [0.9, 110_000],
        [0.99, 250_000],
        [1, 1_000_000],
      ],
    },
    sockets: {
      recvNs: call(2_000),
      sendNs: call(10_000),
      perKibNs: call(200),
      nothingNs: call(1_000),
      pollNs: call(2_000),
      wakeNs: wakeCallNs,
      bufferBytes: 131_072,
    },
    zeromq: { callNs: call(3_000), ioNs: call(7_500), wayNs: call(2_000), sendNs: 0, eventLoopNs: call(2_000) },
    client: { messageNs: 10_000, encodeNs: 5_000 },
  });
}

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;

const pool = new Piscina({ filename: WORKER, maxThreads: availableParallelism(), atomics: 'disabled' });

/** Simulated seconds for 10,000 messages, in the order of the figures. */
async function simulate(figures: readonly TalkFigure[], factors: Factors): Promise<number[]> {
  const profile = profileOf(factors);
  const workload: Workload = {
    ...TALK_WORKLOAD,
    messages: MESSAGES,
    warmupMessages: 10,
    budgetNs: BUDGET_NS,
    interpreterCostNs: profile.interpreterCostNs,
  };
  return Promise.all(
    figures.map(async ({ server, policy, scenario }) => {
      const spinners = scenario === 'unloaded' ? 0 : 1;
      const spec = await readPolicySpec(policy);
      const setup: CellSetup = {
        server,
        policy: spec,
        scenario,
        cpus: CPUS,
        spinners,
        workload,
        profile,
        seed: SEED,
        round: 1,
        records: false,
      };
      const task: SimulationTask = { setup, pulse: new SharedArrayBuffer(16) };
      const round = (await pool.run(task)) as Round;
      if (round.state !== 'measured') throw new Error(round.message);
      // A message that never came back took at least as long as the run.
      const messages = Math.max(1, round.rttNs.length);
      return (Math.max(round.durationNs, round.rttNs.length === 0 ? 3 * BUDGET_NS : 0) / messages / 1e9) * 10_000;
    }),
  );
}

/** Mean of how far off the figures are; a factor of two either way counts the same, so that no row dwarfs the others. */
function errorOf(figures: readonly TalkFigure[], seconds: readonly number[]): number {
  const errors = figures.map(({ seconds: published }, i) => {
    const ratio = (seconds[i] as number) / published;
    return Math.max(ratio, 1 / ratio) - 1;
  });
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

/** @returns the factors with the least error found */
async function search(figures: readonly TalkFigure[], from: Factors): Promise<Factors> {
  let best = from;
  let bestError = errorOf(figures, await simulate(figures, best));
  for (let step = FIRST_STEP; step > LAST_STEP; step = Math.sqrt(step)) {
    for (let improved = true; improved; ) {
      improved = false;
      for (const name of NAMES) {
        for (const factor of [step, 1 / step]) {
          const value = Math.min(MAX_FACTOR, Math.max(MIN_FACTOR, best[name] * factor));
          const trial = { ...best, [name]: value };
          const error = errorOf(figures, await simulate(figures, trial));
          if (error >= bestError * 0.998) continue;
          best = trial;
          bestError = error;
          process.stderr.write(`${name} × ${value.toFixed(2)}: error ${percent(error)}\n`);
          improved = true;
          break;
        }
      }
    }
  }
  return best;
}

function meanAbsoluteError(figures: readonly TalkFigure[], seconds: readonly number[]): number {
  return (
    figures.reduce((sum, { seconds: published }, i) => sum + Math.abs((seconds[i] as number) / published - 1), 0) /
    figures.length
  );
}

const factors = await search(TALK_FIGURES, FIRST);
const seconds = await simulate(TALK_FIGURES, factors);
const lines = [
  '| free number | factor | what it is |',
  '| --- | ---: | --- |',
  ...NAMES.map((name) => `| ${name} | ${factors[name].toFixed(2)} | ${FREE[name]} |`),
  '',
  '| table | server | the talk, s | simulated, s | error |',
  '| --- | --- | ---: | ---: | ---: |',
  ...TALK_FIGURES.map(({ table, server, seconds: published }, i) => {
    const simulated = seconds[i] as number;
    return `| ${table} | ${server} | ${published} | ${simulated.toFixed(1)} | ${percent(simulated / published - 1)} |`;
  }),
  '',
  `Mean absolute error over the ${TALK_FIGURES.length} figures: ${percent(meanAbsoluteError(TALK_FIGURES, seconds))}.`,
  '',
  '| left out of the fit | its mean absolute error then |',
  '| --- | ---: |',
];
const left: number[] = [];
for (const table of new Set(TALK_FIGURES.map((figure) => figure.table))) {
  const others = TALK_FIGURES.filter((figure) => figure.table !== table);
  const own = TALK_FIGURES.filter((figure) => figure.table === table);
  const error = meanAbsoluteError(own, await simulate(own, await search(others, FIRST)));
  left.push(error);
  lines.push(`| ${table} | ${percent(error)} |`);
}
lines.push(
  '',
  `Leave-one-table-out error, mean of the tables: ${percent(left.reduce((sum, error) => sum + error, 0) / left.length)}.`,
);
await pool.destroy();

await writeProfile(PROFILE, profileOf(factors));
const document = await readFile(DOCUMENT, 'utf8');
const [before, , after] = document.split(/<!-- fit(?: end)? -->\n/);
await writeFile(DOCUMENT, `${before}<!-- fit -->\n${lines.join('\n')}\n<!-- fit end -->\n${after}`);
process.stdout.write(`${lines.join('\n')}\n`);
