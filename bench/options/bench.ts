/** The options of `convoy bench`, as its help lists them. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatDuration } from '../../lock/duration.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { TALK_SERVERS } from '../../server/servers.ts';
import { METRICS } from '../figures/metrics.ts';
import { THRESHOLD_FORM } from '../figures/threshold.ts';
import { readDefaultProfile } from '../profiles/interpreter-profile.ts';
import { TOKEN_VARIABLE } from '../remote/token.ts';
import { SCENARIOS } from '../result/result.ts';
import { presetSummaries } from './presets.ts';

export const MAX_SEED = 2 ** 31 - 1;

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
    describe: `messages that are not counted, without pauses, before the CPU threads start, and in 250 ms each at most as many more beside them, without pauses and with; by default ${DEFAULTS.warmup}, keys ${GUI_DEFAULTS.warmup}`,
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
  calibrate: {
    type: 'string',
    describe:
      'calibrate this machine before each round, some 28 s each, and write that profile to this file, for simulate --against',
  },
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

export type BenchArguments = InferredOptionTypes<typeof OPTIONS>;

/** Adds the options to a command. */
export function withBenchOptions(yargs: Argv): Argv<BenchArguments> {
  return yargs.options(OPTIONS).example([
    ['$0 --scenario loaded', 'the talk: every policy, with and without a CPU thread'],
    ["$0 --policy py32 --policy 'py32(interval=1ms)'", 'one policy against itself with another interval'],
    ['$0 --policy ./mine.js --messages 10000', 'a policy of your own, at full length'],
    ['$0 --reference python2.7,python3', 'the interpreters themselves, beside what is said of them'],
    ['$0 --scenario gui', 'the editor you cannot type in'],
    ['$0 --preset talk --json talk.json', 'the talk at its full length'],
    ["$0 --assert 'priority/blocking slowdown <= 1.5'", 'for CI: exit code 0, 2 (fails) or 3 (inconclusive)'],
  ]);
}
