/** The options of `convoy simulate`: those of `bench` where they make sense, and what only a simulated machine can vary. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { MAX_THREADS } from '../../lock/global-lock.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { SPINNER_KINDS } from '../../server/protocol.ts';
import { TALK_SERVERS } from '../../server/servers.ts';
import { UsageError } from '../exit-codes.ts';
import { OPTIONS as BENCH_OPTIONS, DEFAULTS, GUI_DEFAULTS, MAX_SEED } from '../options/bench.ts';
import { readExperiment } from '../options/experiment.ts';
import { writablePath } from '../options/files.ts';
import { duration, list, wholeNumber } from '../options/values.ts';
import { calibrated, readInterpreterProfile } from '../profiles/interpreter-profile.ts';
import { isReference, type Result, SCENARIOS, type Scenario, type Workload } from '../result/result.ts';
import { readResult } from '../result/result-file.ts';
import { loadProfile, PROFILE_NAMES, type Profile } from './profile.ts';
import { parseRange } from './ranges.ts';
import { parseShard, type Shard } from './shard.ts';

/** A simulated run, everything checked. */
export interface SimulateOptions {
  readonly argv: readonly string[];
  readonly servers: readonly string[];
  readonly policies: readonly PolicySpec[];
  readonly scenarios: readonly Scenario[];
  readonly cpus: readonly number[];
  readonly spinners: readonly number[];
  readonly rounds: number;
  readonly seed: number;
  /** `spinners` in it is the first of the range. */
  readonly workload: Workload;
  readonly profile: Profile;
  readonly shard: Shard;
  readonly jsonPath: string | null;
  readonly tracePath: string | null;
  /** Whether the threads of the servers record what they do. */
  readonly timeline: boolean;
  /** Where the page with charts is written; null if nowhere. */
  readonly reportPath: string | null;
  /** A measured result to hold the simulated one against. */
  readonly against: Result | null;
}

const MAX_CPUS = 4_096;
/** The server's threads are among them. */
const MAX_SPINNERS = MAX_THREADS - 3;
const DEFAULT_SCENARIO = 'loaded';
const DEFAULT_MESSAGES = '10000';

const OPTIONS = {
  scenario: {
    type: 'string',
    array: true,
    describe: `what runs beside the server, by default ${DEFAULT_SCENARIO}: ${SCENARIOS.join(', ')}; unloaded is always simulated too`,
  },
  server: { type: 'string', array: true, describe: `echo servers, by default all: ${TALK_SERVERS.join(', ')}` },
  policy: { type: 'string', array: true, describe: `policies, by default all: ${Object.keys(POLICIES).join(', ')}` },
  cpus: { type: 'string', describe: 'CPUs of the machine: 8, 1,2,4,8 or 1..64; by default those of the profile' },
  spinners: { type: 'string', default: '1', describe: 'CPU threads: 1, 0..8, …' },
  profile: {
    type: 'string',
    default: 'this-machine',
    describe: `what the machine costs: ${PROFILE_NAMES.join(', ')}, or a file that calibrate wrote`,
  },
  messages: {
    type: 'string',
    describe: `messages a cell and round; by default ${DEFAULT_MESSAGES}, keys of gui ${GUI_DEFAULTS.messages}`,
  },
  size: { type: 'string', describe: `payload; by default ${DEFAULTS.size}, a key ${GUI_DEFAULTS.size}` },
  delay: {
    type: 'string',
    describe: `pause after each message; by default ${DEFAULTS.delay}, between keys ${GUI_DEFAULTS.delay}`,
  },
  rounds: {
    type: 'string',
    describe:
      'how often every cell is simulated, each time with other luck; by default 1, with --against as often as it was measured',
  },
  budget: {
    type: 'string',
    default: '200s',
    describe: 'simulated time after which a cell stops; its total is then projected',
  },
  warmup: { type: 'string', default: '20', describe: 'messages that are not counted' },
  'spinner-priority': { type: 'string', default: '-1', describe: 'priority of the CPU threads, -1, 0 or 1' },
  'spinner-kind': { type: 'string', default: 'fib', describe: SPINNER_KINDS.join(', ') },
  'keep-lock-on': {
    type: 'string',
    default: 'nothing',
    describe: 'nonblocking: calls that cannot block keep the lock',
  },
  'interpreter-cost': {
    type: 'string',
    describe: 'work under the lock before each call; by default that of --interpreter, else of the profile',
  },
  interpreter: {
    type: 'string',
    describe: 'a file of calibrate --against: what an interpreter does between two calls',
  },
  'max-message': { type: 'string', default: '64MiB', describe: 'largest payload a server accepts' },
  seed: { type: 'string', default: '1', describe: 'of all chance: the same seed gives the same result to the byte' },
  shard: {
    type: 'string',
    default: '1/1',
    describe: 'I/N: simulate the I-th of N parts; convoy merge joins the files',
  },
  json: { type: 'string', describe: 'write the result with all raw samples to this file' },
  timeline: BENCH_OPTIONS.timeline,
  trace: BENCH_OPTIONS.trace,
  report: { type: 'string', describe: 'write a page with charts to this file' },
  against: {
    type: 'string',
    describe:
      'a file of bench: simulate its cells, or those that --server, --policy and --scenario choose, with its workload, and show how far off each is',
  },
} as const satisfies Record<string, Options>;

export type SimulateArguments = InferredOptionTypes<typeof OPTIONS>;

/** Adds the options to the command. */
export function withSimulateOptions(yargs: Argv): Argv<SimulateArguments> {
  return yargs.options(OPTIONS).example([
    ['$0 simulate --cpus 8', 'the talk, on the number of CPUs it had'],
    ['$0 simulate --cpus 1..64 --spinners 0..8 --messages 500 --shard 1/8 --json 1.json', 'an eighth of a sweep'],
    ['$0 simulate --against measured.json', 'how far the simulation is off'],
  ]);
}

/** @throws UsageError which says what is wrong and what would be right */
export async function readSimulateOptions(args: SimulateArguments, argv: readonly string[]): Promise<SimulateOptions> {
  const profile = await loadProfile(args.profile);
  const readRounds = (fallback: number) => wholeNumber('rounds', args.rounds ?? String(fallback), 1, 1_000);
  const common = {
    argv,
    profile,
    seed: wholeNumber('seed', args.seed, 0, MAX_SEED),
    shard: parseShard(args.shard),
    jsonPath: args.json === undefined ? null : await writablePath('json', args.json),
    tracePath: args.trace === undefined ? null : await writablePath('trace', args.trace),
    timeline: args.timeline || args.trace !== undefined,
    reportPath: args.report === undefined ? null : await writablePath('report', args.report),
  };
  if (args.against !== undefined) {
    refuseMeasured(args);
    const against = await readResult(args.against);
    const cpus = args.cpus === undefined ? [against.environment.cpuCount] : parseRange('cpus', args.cpus, 1, MAX_CPUS);
    return { ...common, ...likeMeasured(against, args), rounds: readRounds(against.rounds), cpus, against };
  }

  const asked = { ...args, scenario: args.scenario ?? [DEFAULT_SCENARIO] };
  const { exchange, policies, ...experiment } = await readExperiment(asked, { messages: DEFAULT_MESSAGES });
  const spinners = parseRange('spinners', args.spinners, 0, MAX_SPINNERS);
  const interpreterCost = args['interpreter-cost'];
  const interpreter =
    args.interpreter === undefined ? null : await readInterpreterProfile(args.interpreter, 'interpreter');
  const workload: Workload = {
    ...exchange,
    budgetNs: duration('budget', args.budget, 10e6, 1e6 * 1e9),
    spinners: Math.max(1, spinners[0] ?? 1),
    interpreterCostNs:
      interpreterCost === undefined
        ? (interpreter?.parameters.interpreterCostNs ?? profile.interpreterCostNs)
        : duration('interpreter-cost', interpreterCost, 0, 1e9),
    peerTimeoutNs: null,
    host: '127.0.0.1',
    port: 0,
  };
  return {
    ...common,
    ...experiment,
    against: null,
    rounds: readRounds(1),
    policies:
      interpreter === null
        ? policies
        : policies.map((policy) => calibrated(policy, interpreter, interpreterCost !== undefined)),
    cpus: args.cpus === undefined ? [profile.cpus] : parseRange('cpus', args.cpus, 1, MAX_CPUS),
    spinners,
    workload,
  };
}

/** What a measured result says itself. */
const MEASURED = [
  ...['spinners', 'messages', 'size', 'delay', 'budget', 'warmup', 'spinner-priority', 'spinner-kind'],
  ...['keep-lock-on', 'interpreter-cost', 'interpreter', 'max-message'],
] as const satisfies (keyof typeof OPTIONS)[];

function refuseMeasured(args: SimulateArguments): void {
  for (const name of MEASURED) {
    const option: Options = OPTIONS[name];
    if (args[name] !== option.default)
      throw new UsageError(`--against takes this from the result: leave --${name} out`);
  }
}

/** The cells and the workload of a measured result, or those of its cells that are asked for. Interpreters are not simulated. */
function likeMeasured({ workload, cells, policies }: Result, asked: SimulateArguments) {
  const emulated = policies.filter((column): column is PolicySpec => !isReference(column));
  const labels = emulated.map(({ label }) => label);
  const servers = cells.map(({ server }) => server);
  const scenarios = cells.map(({ scenario }) => scenario);
  const chosen = among('policy', asked.policy, labels);
  return {
    servers: among('server', asked.server, servers),
    policies: emulated.filter(({ label }) => chosen.includes(label)),
    scenarios: among('scenario', asked.scenario, scenarios),
    spinners: [workload.spinners],
    workload,
  };
}

/** What is asked for of what was measured; all of that if nothing is. */
function among<Name extends string>(option: string, asked: string[] | undefined, measured: readonly Name[]): Name[] {
  const all = [...new Set(measured)];
  return asked === undefined ? all : list(option, asked, all);
}
