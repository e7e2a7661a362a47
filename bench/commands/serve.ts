/**
 * `convoy serve`: one server until it is told to end; or, with `--control`, an agent, which runs servers for the `convoy bench --connect` of
 * another machine.
 */
import { isIPv4 } from 'node:net';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { MAX_PRIORITY, MIN_PRIORITY } from '../../lock/policy-spec.ts';
import { SPINNER_KINDS } from '../../server/protocol.ts';
import { EDITOR, TALK_SERVERS } from '../../server/servers.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { problemsHere } from '../measure/problems.ts';
import { type Counted, type ServeOptions, serve } from '../measure/serve.ts';
import { OPTIONS as BENCH_OPTIONS } from '../options/bench.ts';
import { readPolicies } from '../options/policies.ts';
import { cpuList, duration, list, refuseRepeated, size, wholeNumber } from '../options/values.ts';
import { calibrated, readDefaultProfile, readInterpreterProfile } from '../profiles/interpreter-profile.ts';
import { Agent } from '../remote/agent.ts';
import { readPlace } from '../remote/place.ts';
import { digestOf } from '../remote/session.ts';
import { readToken, TOKEN_VARIABLE } from '../remote/token.ts';
import { SCENARIOS } from '../result/result.ts';
import { untilTold } from '../run/interrupts.ts';

const OPTIONS = {
  server: { type: 'string', describe: `the echo server, by default blocking: ${TALK_SERVERS.join(', ')}` },
  policy: {
    type: 'string',
    array: true,
    describe: 'the policy, by default py32; with --control: policy files that a controller may use',
  },
  scenario: { type: 'string', describe: `what runs beside the server, by default unloaded: ${SCENARIOS.join(', ')}` },
  host: {
    type: 'string',
    describe: 'IPv4 address the server binds to, by default 127.0.0.1; with --control the one the controller reached',
  },
  port: { type: 'string', describe: 'port it binds to; by default any free one, which is printed' },
  spinners: { type: 'string', describe: `${BENCH_OPTIONS.spinners.describe}; by default 1` },
  'spinner-priority': { type: 'string', describe: `${BENCH_OPTIONS['spinner-priority'].describe}; by default -1` },
  'spinner-kind': { type: 'string', describe: `${BENCH_OPTIONS['spinner-kind'].describe}; by default fib` },
  'keep-lock-on': { type: 'string', describe: `${BENCH_OPTIONS['keep-lock-on'].describe}; by default nothing` },
  'interpreter-cost': BENCH_OPTIONS['interpreter-cost'],
  profile: BENCH_OPTIONS.profile,
  'max-message': { type: 'string', describe: `${BENCH_OPTIONS['max-message'].describe}; by default 64MiB` },
  'peer-timeout': { type: 'string', describe: `${BENCH_OPTIONS['peer-timeout'].describe}; by default 30s` },
  'server-cpus': BENCH_OPTIONS['server-cpus'],
  every: {
    type: 'string',
    describe: 'how often to say what was counted (ns, us, ms, s, min); by default at the end only',
  },
  control: {
    type: 'string',
    describe: 'be an agent: run what convoy bench --connect asks for on this HOST:PORT, until told to end',
  },
  'token-file': {
    type: 'string',
    describe: `with --control, what a controller must have, too; by default what ${TOKEN_VARIABLE} holds`,
  },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS>;

/** What an agent is told by its controller. */
const NOT_OF_AN_AGENT = Object.keys(OPTIONS).filter(
  (name) => !['policy', 'host', 'control', 'token-file'].includes(name),
);

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs.options(OPTIONS).example([
    [
      '$0 serve --server zeromq --policy py32 --scenario loaded --port 25000',
      'a server for convoy client, or a client of your own',
    ],
    ['$0 serve --control 0.0.0.0:25001 --token-file token', 'for convoy bench --connect, on another machine'],
  ]);
}

/** @returns the exit code */
export async function run(args: Arguments): Promise<number> {
  refuseRepeated(args, OPTIONS);
  if (args.host !== undefined && !isIPv4(args.host))
    throw new UsageError(`--host is an IPv4 address such as 127.0.0.1, not «${args.host}»`);
  if (args.control !== undefined) return beAgent(args.control, args);
  if (args['token-file'] !== undefined) throw new UsageError('--token-file is of --control: leave it out');
  return serveOne(await readServeOptions(args));
}

async function readServeOptions(args: Arguments): Promise<ServeOptions> {
  const [scenario = 'unloaded', ...scenarios] = list('scenario', [args.scenario ?? 'unloaded'], SCENARIOS);
  if (scenarios.length > 0) throw new UsageError('--scenario: serve has one');
  if (scenario === 'gui' && args.server !== undefined)
    throw new UsageError('--scenario gui has a server of its own: leave --server out');
  const [named = 'blocking', ...servers] = list('server', [args.server ?? 'blocking'], TALK_SERVERS);
  if (servers.length > 0) throw new UsageError('--server: serve has one');
  const [policy, ...policies] = await readPolicies(args.policy ?? ['py32'], {
    spinnerPriority: wholeNumber('spinner-priority', args['spinner-priority'] ?? '-1', MIN_PRIORITY, MAX_PRIORITY),
    keepLockOn:
      list('keep-lock-on', [args['keep-lock-on'] ?? 'nothing'], ['nothing', 'nonblocking'] as const)[0] ?? 'nothing',
  });
  if (policy === undefined || policies.length > 0) throw new UsageError('--policy: serve has one');
  const profile = args.profile === undefined ? readDefaultProfile() : await readInterpreterProfile(args.profile);
  const port = wholeNumber('port', args.port ?? '0', 0, 65_535);
  const workload = {
    host: args.host ?? '127.0.0.1',
    maxMessageBytes: size('max-message', args['max-message'] ?? '64MiB', 1, 2 ** 30),
    peerTimeoutNs: duration('peer-timeout', args['peer-timeout'] ?? '30s', 100e6, 3_600e9),
    interpreterCostNs:
      args['interpreter-cost'] === undefined
        ? profile.parameters.interpreterCostNs
        : duration('interpreter-cost', args['interpreter-cost'], 0, 1e9),
    spinners: wholeNumber('spinners', args.spinners ?? '1', 1, 256),
    spinnerKind: list('spinner-kind', [args['spinner-kind'] ?? 'fib'], SPINNER_KINDS)[0] ?? 'fib',
    serverCpus: cpuList('server-cpus', args['server-cpus']),
  };
  const problems = await problemsHere({ ...workload, port });
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return {
    server: scenario === 'gui' ? EDITOR : named,
    policy: calibrated(policy, profile, args['interpreter-cost'] !== undefined),
    scenario,
    port,
    workload,
    everyNs: args.every === undefined ? null : duration('every', args.every, 100e6, 86_400e9),
  };
}

async function serveOne(options: ServeOptions): Promise<number> {
  const { server, policy, scenario, workload } = options;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const events = {
    listening: (port: number) =>
      say(`${server} under ${policy.label}, ${scenario}: listens on ${workload.host} port ${port}`),
    counted: (counted: Counted) => say(describe(counted)),
    ended: (errors: readonly string[]) => {
      if (errors.length > 0) say(`${errors.length} connections ended by an error, first: ${errors[0]}`);
    },
  };
  try {
    return await untilTold(async (told, killed) => {
      await serve(options, events, told, killed);
      return EXIT.ok;
    });
  } catch (error) {
    process.stderr.write(`convoy: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.cellFailed;
  }
}

function describe({ reading, kept }: Counted): string {
  const { durationNs, cpuNs, server } = reading;
  const count = (n: number) => Math.round(n).toLocaleString('en');
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const mean = (ns: number, n: number) => (n === 0 ? '' : ` of ${(ns / n / 1e6).toFixed(2)} ms in the mean`);
  return [
    `in ${(durationNs / 1e9).toFixed(1)} s: ${percent(cpuNs / durationNs)} of a CPU`,
    ...(server === null
      ? []
      : [
          `${count(server.transitions)} calls without the lock`,
          `${count(server.steals)} in which another took it`,
          `${count(server.waits)} waits${mean(server.waitNs, server.waits)}`,
        ]),
    ...(kept === null ? [] : [`CPU threads keep ${percent(kept)}`]),
  ].join(', ');
}

async function beAgent(control: string, args: Arguments): Promise<number> {
  const given = NOT_OF_AN_AGENT.filter((name) => args[name as keyof Arguments] !== undefined);
  if (given.length > 0) throw new UsageError(`--${given[0]} is said by the controller: with --control leave it out`);
  const { host, port } = readPlace('control', control, 0);
  if (!isIPv4(host)) throw new UsageError(`--control binds to an IPv4 address, such as 0.0.0.0:25001, not «${host}»`);
  const token = await readToken(args['token-file']);
  const policyFiles = await readPolicyFiles(args.policy ?? []);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const agent = new Agent({ token, bindHost: args.host ?? null, policyFiles, say });
  let listensOn: number;
  try {
    listensOn = await agent.listen(host, port);
  } catch (error) {
    throw new UsageError(
      `--control: cannot listen on ${host} port ${port}: ${error instanceof Error ? error.message : error}`,
    );
  }
  return untilTold(async (told, killed) => {
    say(`waits for a controller on ${host} port ${listensOn}`);
    // What it started ends with it, however it ends.
    killed.addEventListener('abort', () => process.exit(EXIT.interrupted));
    if (!told.aborted) await new Promise((resolve) => told.addEventListener('abort', resolve));
    await agent.close();
    return EXIT.ok;
  });
}

/** Each file is loaded once, so that one that is no policy is refused now. */
async function readPolicyFiles(texts: readonly string[]): Promise<Map<string, string>> {
  if (texts.length === 0) return new Map();
  const files = new Map<string, string>();
  for (const { label, from } of await readPolicies(texts, { spinnerPriority: -1, keepLockOn: 'nothing' })) {
    if (from.kind !== 'file')
      throw new UsageError(`--policy ${label}: an agent has it without being told; only files are given`);
    files.set(await digestOf(from.url), from.url);
  }
  return files;
}
