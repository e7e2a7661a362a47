/** Runs the cells of a simulated run on as many threads as there are CPUs, and makes the result. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import packageJson from '../../package.json' with { type: 'json' };
import { type Cell, RESULT_VERSION, type Result, type Round } from '../result/result.ts';
import { revision } from '../run/environment.ts';
import { warningsOf } from '../warnings/warnings.ts';
import type { CellSetup } from './cell.ts';
import type { SimulateOptions } from './options.ts';
import { assembleCells } from './plan.ts';
import type { SimulationTask } from './worker.ts';

const WORKER = new URL('./worker.js', import.meta.url).href;

/** A policy that loops or waits between two steps cannot be stopped but from outside; a step takes well under a microsecond. */
const STILL_MS = 5_000;
const LOOK_EVERY_MS = 500;

/** What is told while a run goes on. */
export interface SimulationEvents {
  onRound(setup: CellSetup, round: Round, done: number, total: number): void;
}

/** @param interrupted ends the run; what is finished is returned */
export async function runSimulation(
  options: SimulateOptions,
  tasks: readonly CellSetup[],
  events: SimulationEvents,
  interrupted: AbortSignal,
): Promise<Result> {
  const pool = new Piscina({
    filename: WORKER,
    maxThreads: availableParallelism(),
    minThreads: 1,
    atomics: 'disabled',
  });
  const cells: Cell[] = [];
  try {
    await Promise.all(
      tasks.map(async (setup) => {
        const round = await runWatched(pool, setup, interrupted);
        if (round === null) return;
        const { server, policy, scenario, cpus, spinners } = setup;
        cells.push({ server, policy: policy.label, scenario, at: { cpus, spinners }, rounds: [round] });
        events.onRound(setup, round, cells.length, tasks.length);
      }),
    );
  } finally {
    await pool.destroy();
  }
  return makeResult(options, cells, interrupted.aborted);
}

/** Runs one; ends its thread if it does not get on. Null if interrupted. */
async function runWatched(pool: Piscina, setup: CellSetup, interrupted: AbortSignal): Promise<Round | null> {
  if (interrupted.aborted) return null;
  const pulse = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
  const beats = new Float64Array(pulse);
  const still = new AbortController();
  let before = '';
  let stillMs = 0;
  const watch = setInterval(() => {
    const now = beats.join();
    // Before its first event it waits for a thread, or loads its policy.
    stillMs = now === before && beats[0] !== 0 ? stillMs + LOOK_EVERY_MS : 0;
    before = now;
    if (stillMs >= STILL_MS) still.abort();
  }, LOOK_EVERY_MS);
  try {
    const task: SimulationTask = { setup, pulse };
    return (await pool.run(task, { signal: AbortSignal.any([still.signal, interrupted]) })) as Round;
  } catch (error) {
    if (interrupted.aborted) return null;
    const message = still.signal.aborted
      ? `policy «${setup.policy.label}» loops without a step, or waits for something that is not in its words, after ${beats[1]} steps`
      : error instanceof Error
        ? error.message
        : String(error);
    return { state: 'failed', round: setup.round, message };
  } finally {
    clearInterval(watch);
  }
}

/**
 * The result. Nothing in it is of the machine the simulation ran on, nor of the time at which it did: it follows from the seed, the
 * options and the program.
 */
async function makeResult(options: SimulateOptions, found: readonly Cell[], interrupted: boolean): Promise<Result> {
  const { workload, profile, policies, shard } = options;
  const cells = assembleCells(found, [...policies]);
  const environment = {
    convoy: packageJson.version,
    revision: await revision(),
    cpu: `simulated, profile ${profile.name}`,
    cpus: options.cpus.join(','),
    cpuCount: options.cpus[0] ?? profile.cpus,
    memoryBytes: 0,
    kernel: 'simulated',
    node: 'simulated',
    v8: 'simulated',
    libzmq: null,
    governor: null,
    loadBefore: 0,
    loadAfter: 0,
    stolenShare: 0,
  };
  return {
    format: 'convoy-result',
    version: RESULT_VERSION,
    createdAt: new Date(0).toISOString(),
    argv: [...options.argv],
    seed: options.seed,
    rounds: options.rounds,
    interrupted,
    workload,
    leafNs: profile.leafNs,
    policies: [...policies],
    environment,
    simulation: { profile, ...(shard.count > 1 && { shard }) },
    warnings: warningsOf(cells, environment, workload),
    cells,
  };
}
