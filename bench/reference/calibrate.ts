/**
 * Measures in a real interpreter what decides how near an emulation comes to it, and the same in our own server. It needs a C
 * compiler: the work under an interpreter's lock is seen from its lock alone.
 */
import { ThreadMemory } from '../../lock/machines/threads.ts';
import { INTS_PER_WORD } from '../../lock/memory.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { UsageError } from '../exit-codes.ts';
import { emulationOf } from '../figures/fidelity.ts';
import { split } from '../options/values.ts';
import {
  type CallCosts,
  CHECK,
  callCosts,
  fittedCostNs,
  heldAfterWaitNs,
  lowestOrNull,
  medianOrNull,
  type TicksOfWork,
} from '../profiles/calibration.ts';
import {
  type Calibration,
  type Fit,
  type InterpreterProfile,
  interpreterProfileSchema,
  type Measured,
  PROFILE_VERSION,
} from '../profiles/interpreter-profile.ts';
import { type Column, isReference } from '../result/result.ts';
import { finishEnvironment, probeEnvironment } from '../run/environment.ts';
import { Progress } from '../run/progress.ts';
import { type CalibrationSize, measureAll, type Sample, SERVER, whileItCounts } from './calibration-rounds.ts';
import { findReferences, type Interpreter, isInterpreter } from './interpreter.ts';
import { countTicks } from './ticks.ts';

const CALLS_PER_MESSAGE = 3;
const DEFAULT_INTERVAL_NS = 5e6;
const OVERSHOOT_SAMPLES = 50;
const TURNS_PER_ROUND = 2;

/** Interpreter costs to fit between, ns. */
const TRIED_COSTS = [0, 5e3, 10e3, 15e3];

/**
 * Calibrates.
 *
 * @param names of the interpreters; the first of each kind sets the parameters of the policy that emulates it
 * @param size how much is measured
 * @param argv for the profile
 * @returns null if it was interrupted
 * @throws UsageError if an interpreter is not there, or there is no compiler
 */
export async function calibrateInterpreters(
  names: readonly string[],
  size: CalibrationSize,
  argv: readonly string[],
): Promise<InterpreterProfile | null> {
  const interpreters = await readInterpreters(names);
  const before = await probeEnvironment();
  const samples = await measureAll([...interpreters, await readPolicySpec('py32')], size);
  if (samples === 'interrupted') return null;
  const measured: Calibration['interpreters'] = [];
  for (const interpreter of interpreters) {
    const ticks = await measureTicks(interpreter, size);
    if (ticks === 'interrupted') return null;
    measured.push({ ...nameOf(interpreter), ...interpreted(interpreter, ticks, samples) });
  }
  const ours: Measured = {
    ...costsOf(samples.filter(({ cell }) => !isReference(cell.policy) && cell.scenario === 'unloaded')),
    timeoutOvershootNs: measureTimeoutOvershootNs(),
  };
  const ticks = countedTicks(measured);
  const fits: Fit[] = [];
  for (const policy of ['py32', 'py27'] as const) {
    const original = interpreters.find((interpreter) => emulationOf(interpreter) === policy);
    if (original === undefined) continue;
    const fit = await fitCost(original, policy, policy === 'py27' ? ticks : null, size);
    if (fit === null) return null;
    fits.push(fit);
  }
  return interpreterProfileSchema.parse({
    format: 'convoy-interpreter-profile',
    version: PROFILE_VERSION,
    note: `Measured in ${measured.map(({ label }) => label).join(', ')}`,
    parameters: parametersOf(fits, ticks),
    calibration: {
      createdAt: new Date().toISOString(),
      argv: [...argv],
      environment: await finishEnvironment(before),
      interpreters: measured,
      ours,
      fits,
    },
  });
}

/**
 * Finds the interpreter cost at which the policy keeps a lock that it had to wait for as long as its original, on one server.
 *
 * @param ticks as counted in the original, if it counts any
 * @returns null if it was interrupted
 */
async function fitCost(
  original: Interpreter,
  policy: 'py27' | 'py32',
  ticks: Ticks | null,
  size: CalibrationSize,
): Promise<Fit | null> {
  const spec = await readPolicySpec(policy);
  const tried = TRIED_COSTS.map((costNs) => {
    return { costNs, column: { ...spec, ...ticks, interpreterCostNs: costNs, label: `${policy}, cost ${costNs} ns` } };
  });
  const samples = await measureAll([original, ...tried.map(({ column }) => column)], size);
  if (samples === 'interrupted') return null;
  const heldNs = heldBy(original, samples);
  const outcomes = tried.map(({ costNs, column }) => ({ costNs, heldNs: heldBy(column, samples) }));
  return {
    to: original.label,
    policy,
    server: SERVER,
    heldNs,
    tried: outcomes,
    costNs: fittedCostNs(outcomes, heldNs),
  };
}

/** How long a column keeps its lock after a wait, loaded: median over rounds. */
function heldBy(column: Column, samples: readonly Sample[]): number {
  const own = samples.filter(({ cell }) => cell.policy === column && cell.scenario === 'loaded');
  const held = medianOrNull(own.map(({ end: { calls } }) => (calls === null ? null : heldAfterWaitNs(calls))));
  if (held === null)
    throw new UsageError(`nothing to calibrate by: in no round is it known what ${column.label} did with its lock`);
  return held;
}

async function readInterpreters(names: readonly string[]): Promise<Interpreter[]> {
  const found = await findReferences(split(names));
  for (const { from } of found) {
    if (from.kind === 'absent') throw new UsageError(`--against ${from.name}: ${from.why}`);
  }
  return found.filter(isInterpreter);
}

/** The ticks of an interpreter whose CPU thread counts some, held against a leaf of the policy that emulates it. */
async function measureTicks(
  interpreter: Interpreter,
  { rounds, messages }: CalibrationSize,
): Promise<TicksOfWork | null | 'interrupted'> {
  const policy = emulationOf(interpreter);
  if (policy !== 'py27') return null;
  const ours = await readPolicySpec(policy);
  const progress = new Progress(0, process.stderr);
  progress.say(`counting the ticks of ${interpreter.label}, in turns with leaves of ours`);
  const turns = rounds * TURNS_PER_ROUND;
  return whileItCounts(messages, progress, (setup, ...signals) =>
    countTicks(interpreter, ours, setup, turns, ...signals),
  );
}

/** Of the least disturbed round. */
function costsOf(samples: readonly Sample[]): CallCosts {
  const costs = samples.flatMap(({ end }) => (end.calls === null ? [] : [callCosts(end.calls, CALLS_PER_MESSAGE)]));
  const workPerCallNs = lowestOrNull(costs.map((each) => each.workPerCallNs));
  const callNs = lowestOrNull(costs.map((each) => each.callNs));
  if (workPerCallNs === null || callNs === null)
    throw new UsageError('nothing to calibrate by: no round gave the times of its calls');
  return { workPerCallNs, callNs };
}

/** Without its path: a profile may be passed on. */
function nameOf({ label, from: { implementation, version, build } }: Interpreter) {
  return { label, implementation, version, build };
}

function interpreted(interpreter: Interpreter, ticks: TicksOfWork | null, samples: readonly Sample[]) {
  const own = samples.filter(({ cell }) => cell.policy === interpreter);
  const loaded = own.filter(({ cell }) => cell.scenario === 'loaded');
  const unloaded = own.filter(({ cell }) => cell.scenario === 'unloaded');
  const { switchIntervalNs } = interpreter.from;
  return {
    ...costsOf(unloaded),
    tickNs: ticks?.tickNs ?? null,
    ticksPerLeaf: ticks?.ticksPerLeaf ?? null,
    ticksPerCall: ticks === null ? null : countedPerCall(unloaded),
    timeoutOvershootNs: medianOrNull(
      loaded.map(({ end: { timeouts } }) =>
        timeouts === null || timeouts.count === 0 || switchIntervalNs === null
          ? null
          : timeouts.tookNs / timeouts.count - switchIntervalNs,
      ),
    ),
  };
}

/** Of a server that nobody disturbs every yield stands for so many ticks of its own. Null if nothing is known of its lock. */
function countedPerCall(unloaded: readonly Sample[]): number | null {
  let yields = 0;
  let transitions = 0;
  for (const { end } of unloaded) {
    yields += end.reading.server?.yields ?? 0;
    transitions += end.reading.server?.transitions ?? 0;
  }
  return transitions === 0 ? null : Number(((yields * CHECK) / transitions).toFixed(1));
}

interface Ticks {
  readonly ticksPerLeaf: number;
  readonly ticksPerCall: number;
}

/** Of the interpreter that counts ticks; null if none does. */
function countedTicks(measured: Calibration['interpreters']): Ticks | null {
  for (const { ticksPerLeaf, ticksPerCall } of measured) {
    if (ticksPerLeaf !== null && ticksPerCall !== null) return { ticksPerLeaf, ticksPerCall };
  }
  return null;
}

function parametersOf(fits: readonly Fit[], ticks: Ticks | null): InterpreterProfile['parameters'] {
  const costNs = (policy: string) => fits.find((fit) => fit.policy === policy)?.costNs;
  const py27CostNs = costNs('py27');
  return {
    interpreterCostNs: costNs('py32') ?? py27CostNs ?? 0,
    py27: py27CostNs === undefined || ticks === null ? null : { interpreterCostNs: py27CostNs, ...ticks },
  };
}

/** How late our own waits time out, on an idle machine. */
function measureTimeoutOvershootNs(): number {
  const memory = new ThreadMemory(new Int32Array(new SharedArrayBuffer(INTS_PER_WORD * Int32Array.BYTES_PER_ELEMENT)));
  const late = Array.from({ length: OVERSHOOT_SAMPLES }, () => {
    const startMs = performance.now();
    memory.wait(0, 0, DEFAULT_INTERVAL_NS);
    return (performance.now() - startMs) * 1e6 - DEFAULT_INTERVAL_NS;
  });
  return medianOrNull(late) ?? 0;
}
