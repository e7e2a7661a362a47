/** `convoy client`: the client of the talk against a server that runs somewhere. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import type { RoundTrips } from '../../client/protocol.ts';
import { formatDuration } from '../../lock/duration.ts';
import { loadServer, TALK_SERVERS } from '../../server/servers.ts';
import { EXIT, UnavailableError } from '../exit-codes.ts';
import { percentile, sortSamples } from '../figures/statistics.ts';
import { TALK_MESSAGES } from '../figures/summary.ts';
import { ClientSide } from '../measure/client-side.ts';
import { endProcess } from '../measure/server-side.ts';
import { OPTIONS as BENCH_OPTIONS, DEFAULTS } from '../options/bench.ts';
import { writablePath } from '../options/files.ts';
import { formatSize } from '../options/size.ts';
import { cpuList, duration, list, refuseCpus, refuseRepeated, size, wholeNumber } from '../options/values.ts';
import { addressOf } from '../remote/machine.ts';
import { type Place, readPlace } from '../remote/place.ts';
import { writeWhole } from '../result/result-file.ts';
import { ROUND_TRIPS_VERSION, type RoundTripsFile } from '../result/round-trips.ts';
import { finishEnvironment, probeEnvironment } from '../run/environment.ts';
import { untilTold } from '../run/interrupts.ts';

const TRANSPORTS = ['framed', 'multiprocessing', 'zmtp'] as const;

const OPTIONS = {
  connect: {
    type: 'string',
    demandOption: true,
    describe: 'HOST:PORT of the server: convoy serve, or one of your own',
  },
  server: {
    type: 'string',
    conflicts: 'transport',
    describe: `what kind of server it is, which says the wire format: ${TALK_SERVERS.join(', ')}`,
  },
  transport: { type: 'string', describe: `the wire format itself, by default framed: ${TRANSPORTS.join(', ')}` },
  messages: { type: 'string', default: DEFAULTS.messages, describe: 'messages' },
  size: { type: 'string', default: DEFAULTS.size, describe: 'payload (B, kB, KiB, MB, MiB, GiB)' },
  delay: { type: 'string', default: DEFAULTS.delay, describe: 'pause after each message (ns, us, ms, s, min)' },
  warmup: {
    type: 'string',
    default: DEFAULTS.warmup,
    describe: 'messages that are not counted, without pauses, first',
  },
  budget: { type: 'string', default: '1min', describe: 'when it stops at the latest; the total is then projected' },
  'client-cpus': BENCH_OPTIONS['client-cpus'],
  json: { type: 'string', describe: 'write every round trip to this file' },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS>;

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs.options(OPTIONS).example([
    ['$0 client --connect 10.0.0.2:25000 --server zeromq', 'against convoy serve --server zeromq'],
    ['$0 client --connect 127.0.0.1:25000 --messages 1 --warmup 0', 'is it there? Exit code 0 or 69'],
  ]);
}

/** What is done, everything checked. */
interface ClientOptions {
  readonly place: Place;
  readonly transport: string;
  readonly messages: number;
  readonly payloadBytes: number;
  readonly delayNs: number;
  readonly warmupMessages: number;
  readonly budgetNs: number;
  readonly clientCpus: string | undefined;
}

/** @returns the exit code */
export async function run(args: Arguments, argv: readonly string[]): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const options = await readClientOptions(args);
  const json = args.json === undefined ? null : await writablePath('json', args.json);
  const { host, port } = options.place;
  const before = await probeEnvironment();
  const trips = await untilTold((told, killed) => roundTrips(options, told, killed));
  if (trips === null) return EXIT.interrupted;
  if (trips instanceof Error) {
    process.stderr.write(`convoy: ${host} port ${port}: ${trips.message}\n`);
    return EXIT.cellFailed;
  }
  const { place, clientCpus, ...asked } = options;
  const file: RoundTripsFile = {
    format: 'convoy-round-trips',
    version: ROUND_TRIPS_VERSION,
    createdAt: new Date().toISOString(),
    argv: [...argv],
    server: place,
    ...asked,
    ...(clientCpus === undefined ? {} : { clientCpus }),
    environment: await finishEnvironment(before),
    sentNs: Array.from(trips.sentNs, Math.round),
    rttNs: Array.from(trips.rttNs, Math.round),
    durationNs: trips.durationNs,
    ended: trips.ended,
  };
  if (json !== null) await writeWhole(json, `${JSON.stringify(file)}\n`);
  process.stdout.write(`${describe(file).join('\n')}\n`);
  return trips.ended === 'stopped' ? EXIT.interrupted : EXIT.ok;
}

async function readClientOptions(args: Arguments): Promise<ClientOptions> {
  const [server] = args.server === undefined ? [] : list('server', [args.server], TALK_SERVERS);
  const [transport = 'framed'] = args.transport === undefined ? [] : list('transport', [args.transport], TRANSPORTS);
  const clientCpus = cpuList('client-cpus', args['client-cpus']);
  refuseCpus('client-cpus', clientCpus);
  return {
    place: readPlace('connect', args.connect),
    transport: server === undefined ? transport : (await loadServer(server)).transport,
    messages: wholeNumber('messages', args.messages, 1, 10_000_000),
    payloadBytes: size('size', args.size, 0, 2 ** 30),
    delayNs: duration('delay', args.delay, 0, 60e9),
    warmupMessages: wholeNumber('warmup', args.warmup, 0, 1_000_000),
    budgetNs: duration('budget', args.budget, 10e6, 86_400e9),
    clientCpus,
  };
}

/**
 * Connects, and makes them.
 *
 * @returns what broke, if something did once the connection was made; null if it was interrupted before
 * @throws UnavailableError if there is no server
 */
async function roundTrips(
  options: ClientOptions,
  told: AbortSignal,
  killed: AbortSignal,
): Promise<RoundTrips | Error | null> {
  const { place, messages, budgetNs, clientCpus } = options;
  const host = await addressOf(place.host);
  const client = new ClientSide();
  const stop = () => void client.stop().catch(() => {});
  const kill = () => client.process.kill();
  told.addEventListener('abort', stop);
  killed.addEventListener('abort', kill);
  try {
    try {
      const { transport, payloadBytes, delayNs, warmupMessages } = options;
      await client.connect({ transport, host, port: place.port, payloadBytes, delayNs, warmupMessages }, clientCpus);
    } catch (error) {
      if (told.aborted) return null;
      throw new UnavailableError(`${place.host} port ${place.port}: ${reasonOf(error)}; there: convoy serve`);
    }
    return await client.run(messages, budgetNs).catch((error: unknown) => new Error(reasonOf(error)));
  } finally {
    told.removeEventListener('abort', stop);
    await endProcess(client.process);
    killed.removeEventListener('abort', kill);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const PERCENTILES = [50, 90, 99, 99.9, 100];

function describe(file: RoundTripsFile): string[] {
  const { messages, payloadBytes, delayNs, rttNs, durationNs, ended, transport, server } = file;
  const done = rttNs.length;
  const samples = sortSamples(rttNs);
  const name = (percent: number) => (percent === 100 ? 'max' : `p${percent}`);
  const figures = PERCENTILES.map((percent) => `${name(percent)} ${(percentile(samples, percent) / 1e6).toFixed(3)}`);
  const total = (durationNs / done / 1e9) * TALK_MESSAGES;
  const why = ended === 'budget' ? '; --budget ended it' : ended === 'stopped' ? '; interrupted' : '';
  return [
    `${server.host} port ${server.port}, ${transport}: ${done.toLocaleString('en')} of ${messages.toLocaleString('en')} messages of ` +
      `${formatSize(payloadBytes)} echoed, ${formatDuration(delayNs)} pause after each${why}`,
    ...(done === 0
      ? []
      : [
          `${(durationNs / 1e9).toFixed(2)} s, ${total.toFixed(1)} s for ${TALK_MESSAGES.toLocaleString('en')} messages`,
          `round trip, ms: ${figures.join(', ')}`,
        ]),
  ];
}
