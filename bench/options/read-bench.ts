/** From the options of `convoy bench` to a run. */
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { UsageError } from '../exit-codes.ts';
import { readThreshold, type Threshold } from '../figures/threshold.ts';
import { problemsHere } from '../measure/problems.ts';
import { calibrated, readDefaultProfile, readInterpreterProfile } from '../profiles/interpreter-profile.ts';
import { findReferences } from '../reference/interpreter.ts';
import { connectToAgent, type RemoteMachine } from '../remote/machine.ts';
import { readPlace } from '../remote/place.ts';
import { readToken } from '../remote/token.ts';
import type { Column, Scenario, Workload } from '../result/result.ts';
import { type FoundJournal, readJournal } from '../run/journal.ts';
import { planCells } from '../run/plan.ts';
import { type BenchArguments, MAX_SEED, OPTIONS } from './bench.ts';
import { readExperiment } from './experiment.ts';
import { type Outputs, readOutputs, writablePath } from './files.ts';
import type { Given } from './sources.ts';
import { cpuList, duration, refuseCpus, refuseRepeated, split, wholeNumber } from './values.ts';

/** A run, as it was asked for, everything checked. */
export interface RunOptions {
  readonly argv: readonly string[];
  readonly servers: readonly string[];
  /** Policies, and interpreters to put beside them. */
  readonly policies: readonly Column[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seed: number;
  readonly workload: Workload;
  /** Where the servers run; null: here. Whoever runs this closes it. */
  readonly machine: RemoteMachine | null;
  readonly outputs: Outputs;
  readonly thresholds: readonly Threshold[];
  readonly quiet: boolean;
  /** Whether the threads of the servers record what they do. */
  readonly timeline: boolean;
  /** The profile of the machine that is made beside it; null: none. */
  readonly calibrationPath: string | null;
  /** The run it goes on with; null if it begins one. */
  readonly resume: FoundJournal | null;
  /** The options that decide what is measured, as they were given, wherever they came from. */
  readonly given: Given;
}

/** What says where a run is kept and shown, or where options come from, and nothing of what is measured. */
const NOT_OF_THE_RUN = ['json', 'resume', 'csv', 'markdown', 'calibrate', 'assert', 'quiet', 'preset', 'config'];

/**
 * Checks everything a run could later stumble over.
 *
 * @param args as yargs read them
 * @param argv as they were given, for the result
 * @throws UsageError which says what is wrong and what would be right
 */
export async function readOptions(args: BenchArguments, argv: readonly string[]): Promise<RunOptions> {
  refuseRepeated(args, OPTIONS);
  if (args.calibrate !== undefined && (args.connect ?? args.resume) !== undefined)
    throw new UsageError(
      '--calibrate is of this machine, and of a run from its first round on: leave it out, or --connect and --resume',
    );
  if (args.connect === undefined) {
    if (args['token-file'] !== undefined) throw new UsageError('--token-file is of --connect: leave it out');
    return readRun(args, argv, null);
  }
  const place = readPlace('connect', args.connect);
  if (args.host !== OPTIONS.host.default)
    throw new UsageError('--host is of this machine: with --connect leave it out, and see convoy serve --host');
  const machine = await connectToAgent(place, await readToken(args['token-file']));
  try {
    return await readRun(args, argv, machine);
  } catch (error) {
    machine.close();
    throw error;
  }
}

async function readRun(
  args: BenchArguments,
  argv: readonly string[],
  machine: RemoteMachine | null,
): Promise<RunOptions> {
  const { scenarios, servers, policies, exchange } = await readExperiment(args);
  if (scenarios.includes('gui') && args.reference !== undefined)
    throw new UsageError('--scenario gui has no server in Python: leave --reference out');
  const profile = args.profile === undefined ? readDefaultProfile() : await readInterpreterProfile(args.profile);
  const workload: Workload = {
    ...exchange,
    budgetNs: duration('budget', args.budget, 10e6, 3_600e9),
    spinners: wholeNumber('spinners', args.spinners, 1, 256),
    interpreterCostNs:
      args['interpreter-cost'] === undefined
        ? profile.parameters.interpreterCostNs
        : duration('interpreter-cost', args['interpreter-cost'], 0, 1e9),
    peerTimeoutNs: duration('peer-timeout', args['peer-timeout'], 100e6, 3_600e9),
    host: machine?.address ?? args.host,
    port: wholeNumber('port', args.port, 0, 65_535),
    serverCpus: cpuList('server-cpus', args['server-cpus']),
    clientCpus: cpuList('client-cpus', args['client-cpus']),
  };
  if (!isIPv4(workload.host))
    throw new UsageError(`--host is an IPv4 address such as 127.0.0.1, not «${workload.host}»`);
  const resume = args.resume === undefined ? null : await readJournal(args.resume);
  const seed = args.seed ?? resume?.header.given['seed'] ?? String(Math.floor(Math.random() * MAX_SEED));
  const outputs = await readOutputs({ ...args, json: resultFileOf(args) });
  const calibrationPath = args.calibrate === undefined ? null : await writablePath('calibrate', args.calibrate);
  if (calibrationPath !== null && Object.values(outputs).includes(calibrationPath))
    throw new UsageError('--calibrate needs a file of its own');
  const options = {
    argv,
    servers,
    policies: [
      ...policies.map((policy) => calibrated(policy, profile, args['interpreter-cost'] !== undefined)),
      ...(await (machine ?? { findReferences }).findReferences(split(args.reference ?? []))),
    ],
    scenarios,
    rounds: wholeNumber('rounds', args.rounds, 1, 1_000),
    seed: wholeNumber('seed', String(seed), 0, MAX_SEED),
    workload,
    machine,
    quiet: args.quiet,
    timeline: args.timeline || args.trace !== undefined,
    outputs,
    calibrationPath,
    resume,
    given: givenOf(args),
  };
  const cells = planCells(options.servers, options.policies, scenarios).map(({ policy, ...cell }) => ({
    ...cell,
    policy: policy.label,
  }));
  const thresholds = (args.assert ?? []).map((text) => readThreshold(text, cells));
  refuseCpus('client-cpus', workload.clientCpus);
  const problems = await (machine ?? { problems: problemsHere }).problems(workload, options.policies);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { ...options, thresholds };
}

function givenOf(args: Readonly<Record<string, unknown>>): Given {
  const names = Object.keys(OPTIONS).filter((name) => !NOT_OF_THE_RUN.includes(name) && args[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, args[name]])) as Given;
}

function resultFileOf({ json, resume }: { readonly json?: string | undefined; readonly resume?: string | undefined }) {
  if (json !== undefined && resume !== undefined && resolve(json) !== resolve(resume))
    throw new UsageError(`--resume ${resume} goes on in that file: leave --json out`);
  return resume ?? json;
}
