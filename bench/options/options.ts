/** The options of `convoy bench`: what they are called, what they may be, and what a run is made of. */
import { constants } from 'node:fs';
import { access, mkdir, open, rm, stat } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatDuration, parseDuration } from '../../lock/duration.ts';
import { MAX_PRIORITY, MIN_PRIORITY, type PolicySpec, type PolicyUse } from '../../lock/load-policy.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { close, type Endpoint, listen } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';
import { SPINNER_KINDS } from '../../server/protocol.ts';
import { EDITOR, TALK_SERVERS } from '../../server/servers.ts';
import { UsageError } from '../exit-codes.ts';
import { METRICS } from '../figures/metrics.ts';
import { readThreshold, THRESHOLD_FORM, type Threshold } from '../figures/threshold.ts';
import { formatCpuList, parseCpuList, whyNotOn } from '../processes/cpu-list.ts';
import { readPolicy } from '../processes/read-policy.ts';
import { calibrated, readDefaultProfile, readInterpreterProfile } from '../profiles/interpreter-profile.ts';
import { findReferences } from '../reference/interpreter.ts';
import { connectToAgent, type RemoteMachine } from '../remote/machine.ts';
import { readPlace } from '../remote/place.ts';
import { readToken, TOKEN_VARIABLE } from '../remote/token.ts';
import { type Column, SCENARIOS, type Scenario, type Workload } from '../result/result.ts';
import { type FoundJournal, journalPath, readJournal } from '../run/journal.ts';
import { planCells } from '../run/plan.ts';
import { presetSummaries } from './presets.ts';
import { formatSize, parseSize } from './size.ts';
import type { Given } from './sources.ts';

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
  /** Where the result is written in each format, absolute; null if nowhere. */
  readonly outputs: Outputs;
  readonly thresholds: readonly Threshold[];
  readonly quiet: boolean;
  /** Whether the threads of the servers record what they do. */
  readonly timeline: boolean;
  /** The run it goes on with; null if it begins one. */
  readonly resume: FoundJournal | null;
  /** The options that decide what is measured, as they were given, wherever they came from. */
  readonly given: Given;
}

export type Outputs = Readonly<Record<'json' | 'csv' | 'markdown' | 'report' | 'trace', string | null>>;

export const MAX_SEED = 2 ** 31 - 1;
const PORT_ADVICE = 'choose another --port, or leave it out for any free one';

const names = (known: object) => Object.keys(known).join(', ');

/** The talk's workload, short enough that every server under every policy is measured in a minute. */
export const DEFAULTS = { messages: '200', size: '8KiB', delay: '1ms', warmup: '2000' } as const;
/** A key held down: 33 a second. */
export const GUI_DEFAULTS = { messages: '60', size: '8B', delay: '30ms', warmup: '100' } as const;
/** Both sides of the talk's second GUI slide: without and with `sys.setpriority(-1)` in the CPU thread. */
export const GUI_POLICIES = [...Object.keys(POLICIES), 'priority(spinner-priority=0)'];

/** In the order of the help. */
export const OPTIONS = {
  scenario: {
    type: 'string',
    array: true,
    default: ['loaded'],
    describe: `what runs beside the server: ${SCENARIOS.join(', ')}; unloaded is always measured too, to compare with`,
  },
  server: { type: 'string', array: true, describe: `echo servers, by default all: ${TALK_SERVERS.join(', ')}` },
  policy: {
    type: 'string',
    array: true,
    describe: `policies, by default all: ${names(POLICIES)}; with options py32(interval=1ms); or your own, ./mine.js`,
  },
  reference: {
    type: 'string',
    array: true,
    describe: 'interpreters beside the policies, commands or paths: python2.7, python3, pypy3; auto: all there are',
  },
  messages: {
    type: 'string',
    describe: `messages a cell and round; by default ${DEFAULTS.messages}, keys of gui ${GUI_DEFAULTS.messages}`,
  },
  size: {
    type: 'string',
    describe: `payload (B, kB, KiB, MB, MiB, GiB); by default ${DEFAULTS.size}, a key ${GUI_DEFAULTS.size}`,
  },
  delay: {
    type: 'string',
    describe: `pause of the client after each message (ns, us, ms, s, min); by default ${DEFAULTS.delay}, between keys ${GUI_DEFAULTS.delay}`,
  },
  rounds: {
    type: 'string',
    default: '1',
    describe: 'how often every cell is measured, in a new order each time; 3 or more give intervals',
  },
  budget: { type: 'string', default: '2s', describe: 'when a cell stops in each round; its total is then projected' },
  warmup: {
    type: 'string',
    describe: `messages that are not counted, without pauses, before the CPU threads start; by default ${DEFAULTS.warmup}, keys ${GUI_DEFAULTS.warmup}`,
  },
  spinners: {
    type: 'string',
    default: '1',
    describe: 'CPU threads: beside the server if loaded, in another process if offloaded',
  },
  'spinner-priority': {
    type: 'string',
    default: '-1',
    describe: 'priority of the CPU threads, -1, 0 or 1, where the policy knows priorities; the server has 0',
  },
  'spinner-kind': {
    type: 'string',
    default: 'fib',
    describe: 'fib: short steps; native: calls of 10 ms that keep the lock; releasing: hashes that give it up',
  },
  'keep-lock-on': {
    type: 'string',
    default: 'nothing',
    describe: 'nonblocking: calls that cannot block keep the lock, under every policy; nothing: all give it up',
  },
  'interpreter-cost': {
    type: 'string',
    describe: 'CPU work under the lock before each system call of the server; by default what --profile says',
  },
  profile: {
    type: 'string',
    describe: `a file of calibrate --against: what an interpreter does between two calls; by default the one that comes with Convoy, ${formatDuration(readDefaultProfile().parameters.interpreterCostNs)}`,
  },
  'max-message': { type: 'string', default: '64MiB', describe: 'largest payload a server accepts' },
  'peer-timeout': {
    type: 'string',
    default: '30s',
    describe:
      'how long a server waits for a client in the middle of a message, or before its first; between two messages it waits without end',
  },
  host: { type: 'string', default: '127.0.0.1', describe: 'IPv4 address the servers bind to' },
  connect: {
    type: 'string',
    describe: 'run the servers on another machine: HOST:PORT of its agent (there: convoy serve --control)',
  },
  'token-file': { type: 'string', describe: `the token that agent was given; by default what ${TOKEN_VARIABLE} holds` },
  port: { type: 'string', default: '0', describe: 'port the servers bind to, one after the other; 0: any free one' },
  'server-cpus': {
    type: 'string',
    describe: 'CPUs for the server and the CPU threads, such as 0,2-3; by default any',
  },
  'client-cpus': { type: 'string', describe: 'CPUs for the client; by default any' },
  seed: { type: 'string', describe: 'of the order of the cells; by default a new one, which is printed' },
  json: { type: 'string', describe: 'write the result with all raw samples to this file, after every cell' },
  resume: {
    type: 'string',
    describe: 'go on with the run of this --json file, from the journal beside it; other options come from there',
  },
  csv: { type: 'string', describe: 'write every figure of every cell to this file, at the end' },
  markdown: { type: 'string', describe: 'write the tables to this file, at the end' },
  timeline: {
    type: 'boolean',
    default: false,
    describe: 'record what every thread of a server does: who holds the lock, who waits',
  },
  trace: {
    type: 'string',
    describe: 'write that to this file, at the end, for https://ui.perfetto.dev; implies --timeline',
  },
  report: { type: 'string', describe: 'write a page with charts to this file, at the end' },
  assert: {
    type: 'string',
    array: true,
    describe: `a threshold, ${THRESHOLD_FORM}; metrics: ${names(METRICS)}`,
  },
  quiet: { type: 'boolean', default: false, describe: 'no progress on stderr' },
  preset: { type: 'string', describe: `options by the name of their purpose: ${presetSummaries()}` },
  config: { type: 'string', describe: 'options from a JSON file: {"messages": 1000, "policy": ["py32"]}' },
} as const satisfies Record<string, Options>;

/** What says where a run is kept and shown, or where options come from, and nothing of what is measured. */
const NOT_OF_THE_RUN = ['json', 'resume', 'csv', 'markdown', 'assert', 'quiet', 'preset', 'config'];

/** Adds the options to a command. */
export function withOptions<T>(yargs: Argv<T>): Argv<T & InferredOptionTypes<typeof OPTIONS>> {
  return yargs.options(OPTIONS).example([
    ['$0 --scenario loaded', 'the talk: every policy, with and without a CPU thread'],
    ["$0 --policy py32 --policy 'py32(interval=1ms)'", 'one policy against itself with another interval'],
    ['$0 --policy ./mine.js --messages 10000', 'a policy of your own, at full length'],
    ['$0 --reference python2.7,python3', 'the interpreters themselves, beside what is said of them'],
    ['$0 --scenario gui', 'the editor you cannot type in'],
    ['$0 --preset talk --json talk.json', 'the talk at its full length'],
    ["$0 --assert 'priority/blocking slowdown <= 1.5'", 'for CI: exit code 0, 2 (fails) or 3 (inconclusive)'],
  ]) as Argv<T & InferredOptionTypes<typeof OPTIONS>>;
}

/**
 * Checks everything a run could later stumble over.
 *
 * @param args as yargs read them
 * @param argv as they were given, for the result
 * @throws UsageError which says what is wrong and what would be right
 */
export async function readOptions(
  args: InferredOptionTypes<typeof OPTIONS>,
  argv: readonly string[],
): Promise<RunOptions> {
  refuseRepeated(args, OPTIONS);
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
  args: InferredOptionTypes<typeof OPTIONS>,
  argv: readonly string[],
  machine: RemoteMachine | null,
): Promise<RunOptions> {
  const scenarios = list('scenario', args.scenario, SCENARIOS);
  const gui = scenarios.includes('gui');
  if (gui && scenarios.length > 1)
    throw new UsageError('--scenario gui is measured by itself: its messages are key strokes');
  if (gui && args.server !== undefined)
    throw new UsageError('--scenario gui has a server of its own: leave --server out');
  if (gui && args.reference !== undefined)
    throw new UsageError('--scenario gui has no server in Python: leave --reference out');
  const profile = args.profile === undefined ? readDefaultProfile() : await readInterpreterProfile(args.profile);
  const defaults = gui ? GUI_DEFAULTS : DEFAULTS;
  const workload: Workload = {
    messages: wholeNumber('messages', args.messages ?? defaults.messages, 1, 10_000_000),
    payloadBytes: size('size', args.size ?? defaults.size, 0, 2 ** 30),
    delayNs: duration('delay', args.delay ?? defaults.delay, 0, 60e9),
    warmupMessages: wholeNumber('warmup', args.warmup ?? defaults.warmup, 0, 1_000_000),
    budgetNs: duration('budget', args.budget, 10e6, 3_600e9),
    spinners: wholeNumber('spinners', args.spinners, 1, 256),
    spinnerKind: list('spinner-kind', [args['spinner-kind']], SPINNER_KINDS)[0] ?? 'fib',
    interpreterCostNs:
      args['interpreter-cost'] === undefined
        ? profile.parameters.interpreterCostNs
        : duration('interpreter-cost', args['interpreter-cost'], 0, 1e9),
    maxMessageBytes: size('max-message', args['max-message'], 1, 2 ** 30),
    peerTimeoutNs: duration('peer-timeout', args['peer-timeout'], 100e6, 3_600e9),
    host: machine?.address ?? args.host,
    port: wholeNumber('port', args.port, 0, 65_535),
    serverCpus: cpuList('server-cpus', args['server-cpus']),
    clientCpus: cpuList('client-cpus', args['client-cpus']),
  };
  if (workload.payloadBytes > workload.maxMessageBytes) {
    throw new UsageError(
      `--size ${formatSize(workload.payloadBytes)} is more than --max-message ${formatSize(workload.maxMessageBytes)}, which servers refuse`,
    );
  }
  if (!isIPv4(workload.host))
    throw new UsageError(`--host is an IPv4 address such as 127.0.0.1, not «${workload.host}»`);
  const resume = args.resume === undefined ? null : await readJournal(args.resume);
  const seed = args.seed ?? resume?.header.given['seed'] ?? String(Math.floor(Math.random() * MAX_SEED));
  const policies = await readPolicies(args.policy ?? (gui ? GUI_POLICIES : Object.keys(POLICIES)), {
    spinnerPriority: wholeNumber('spinner-priority', args['spinner-priority'], MIN_PRIORITY, MAX_PRIORITY),
    keepLockOn: list('keep-lock-on', [args['keep-lock-on']], ['nothing', 'nonblocking'] as const)[0] ?? 'nothing',
  });
  const options = {
    argv,
    servers: gui ? [EDITOR] : list('server', args.server ?? TALK_SERVERS, TALK_SERVERS),
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
    outputs: await readOutputs({ ...args, json: resultFileOf(args) }),
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

/** yargs makes a list of an option that is given twice, also of one that can have one value only. */
export function refuseRepeated(
  args: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, Options>>,
): void {
  for (const [name, option] of Object.entries(options)) {
    if (option.array !== true && Array.isArray(args[name])) throw new UsageError(`--${name} is given more than once`);
  }
}

/** A whole number within limits, as an option gives it. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option} is a whole number from ${min} to ${max}, not «${text}»`);
}

export function duration(option: string, text: string, minNs: number, maxNs: number): number {
  const ns = parseDuration(text);
  if (ns !== undefined && ns >= minNs && ns <= maxNs) return ns;
  const range = `from ${formatDuration(minNs)} to ${formatDuration(maxNs)}`;
  throw new UsageError(`--${option} is a duration with its unit (ns, us, ms, s, min) ${range}, not «${text}»`);
}

export function size(option: string, text: string, minBytes: number, maxBytes: number): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes;
  const range = `from ${formatSize(minBytes)} to ${formatSize(maxBytes)}`;
  throw new UsageError(`--${option} is a size (B, kB, KiB, MB, MiB, GiB) ${range}, not «${text}»`);
}

/**
 * CPUs as an option gives them, in the one spelling of their list.
 *
 * @param text undefined if the option was not given
 */
export function cpuList(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const cpus = parseCpuList(text);
  if (cpus === undefined) throw new UsageError(`--${option} is a list of CPUs such as 0,2-3, not «${text}»`);
  return formatCpuList(cpus);
}

/** Refuses CPUs that are not there, or not allowed to this process. */
export function refuseCpus(option: string, cpus: string | undefined): void {
  const why = cpus === undefined ? null : whyNotOn(cpus);
  if (why !== null) throw new UsageError(`--${option}: ${why}`);
}

/** Splits at commas that are not inside parentheses: `py32(a=1,b=2),free-threaded` is two. */
export function split(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(/,(?![^(]*\))/))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

export function list<Name extends string>(option: string, texts: readonly string[], known: readonly Name[]): Name[] {
  const wanted = [...new Set(split(texts))];
  if (wanted.length === 0) throw new UsageError(`--${option} needs a name: ${known.join(', ')}`);
  return wanted.map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined) throw new UsageError(`there is no ${option} «${name}»; there are ${known.join(', ')}`);
    return found;
  });
}

export async function readPolicies(texts: readonly string[], use: PolicyUse): Promise<PolicySpec[]> {
  const wanted = split(texts);
  if (wanted.length === 0) throw new UsageError(`--policy needs a name: ${names(POLICIES)}`);
  const specs = new Map<string, PolicySpec>();
  for (const text of wanted) {
    const spec = await readPolicy(text, use);
    const same = specs.get(spec.label);
    if (same !== undefined && JSON.stringify(same.from) !== JSON.stringify(spec.from)) {
      throw new UsageError(`two policies are called «${spec.label}»; give one another name in its file`);
    }
    specs.set(spec.label, spec);
  }
  return [...specs.values()];
}

async function readOutputs(args: Partial<Record<keyof Outputs, string | undefined>>): Promise<Outputs> {
  const { json, csv, markdown, report, trace } = args;
  const paths = {
    json: resolved(json),
    csv: resolved(csv),
    markdown: resolved(markdown),
    report: resolved(report),
    trace: resolved(trace),
  };
  const given = Object.values(paths).filter((path) => path !== null);
  if (new Set(given).size < given.length)
    throw new UsageError('--json, --csv, --markdown, --report and --trace need a file each');
  for (const [option, path] of Object.entries(paths)) if (path !== null) await checkWritable(option, path);
  if (paths.json !== null) await checkWritable('json', journalPath(paths.json));
  return paths;
}

function resolved(path: string | undefined): string | null {
  return path === undefined ? null : resolve(path);
}

/** The absolute path of a file that an option names. Refuses one that could not be written. */
export async function writablePath(option: string, path: string): Promise<string> {
  const absolute = resolve(path);
  await checkWritable(option, absolute);
  return absolute;
}

/** Refuses a path that could not be written at the end of the run. Leaves what is there as it is. */
async function checkWritable(option: string, path: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    const there = await stat(path).catch(() => null);
    if (there === null) {
      // Beside it: a run that is killed just then must not leave an empty result.
      const beside = `${path}.${process.pid}.part`;
      await (await open(beside, 'wx')).close();
      await rm(beside);
    } else {
      // The file is replaced, not written into: a device or a pipe would be gone.
      if (!there.isFile()) throw new Error(there.isDirectory() ? 'it is a folder' : 'it is no ordinary file');
      await access(path, constants.W_OK);
    }
  } catch (error) {
    throw new UsageError(`--${option}: ${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** One folder after the other: mkdir's own `recursive` never ends where the kernel says ENOENT to a new folder, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) return;
  await makeFolder(dirname(path));
  await mkdir(path);
}

/** Why servers could not run on this machine as asked. */
export async function problemsHere({
  serverCpus,
  host,
  port,
}: Pick<Workload, 'serverCpus' | 'host' | 'port'>): Promise<string[]> {
  const why = serverCpus === undefined ? null : whyNotOn(serverCpus);
  return [why === null ? null : `--server-cpus: ${why}`, whyNotListen({ host, port })].filter((each) => each !== null);
}

/** Why servers cannot listen there, and what to do; null if they can. */
function whyNotListen({ host, port }: Endpoint): string | null {
  try {
    close(listen({ host, port }));
    return null;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const why = error.code === 'EADDRINUSE' ? 'it is taken' : error.message;
    return `the servers cannot listen on ${host} port ${port}: ${why}; ${PORT_ADVICE}`;
  }
}
