/**
 * `npm run storm -- --inputs 100000`: hostile connections on every port, one port after the other. Prints what each was sent and what it
 * held, and ends with exit code 1 if a process died, hung, lost an echo or kept what it should have let go of.
 */
import Table from 'cli-table3';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { percentile, sortSamples } from '../../bench/figures/statistics.ts';
import { PORTS } from './ports.ts';
import { INPUTS_PER_SEED, type StormReport, storm } from './storm.ts';
import { kept } from './verdict.ts';

const MIB = 2 ** 20;

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run storm --')
  .options({
    inputs: { type: 'number', default: 10_000, describe: 'connections for each port' },
    port: { type: 'string', array: true, choices: PORTS.map(({ name }) => name), describe: 'by default all' },
    seed: {
      type: 'number',
      describe: `of the first ${INPUTS_PER_SEED} inputs, the next have the next; by default a new one`,
    },
  })
  .strict()
  .parseAsync();

const seed = options.seed ?? Math.floor(Math.random() * 2 ** 30);
const wanted = PORTS.filter(({ name }) => options.port?.includes(name) ?? true);
const head = [
  'port',
  'inputs',
  'seeds',
  'failures',
  'MiB answered',
  'beside: echoes',
  'p50, max ms',
  'MiB',
  'descriptors',
  'threads',
  's',
];
const table = new Table({ head, style: { head: [], border: [] } });
let failed = false;

for (const port of wanted) {
  const report = await storm(port, options.inputs, seed);
  const failures = [report.failure, ...kept(report)].filter((failure) => failure !== null);
  failed ||= failures.length > 0;
  table.push(row(report, failures.length));
  process.stdout.write(
    `${port.name}: ${report.inputs} inputs, ${failures.length === 0 ? 'no failure' : failures.join('; ')}\n`,
  );
}
process.stdout.write(
  `${table}\nMiB, descriptors, threads of the port's process: after a tenth of the inputs, most, after the storm\n`,
);
process.exitCode = failed ? 1 : 0;

function row(report: StormReport, failures: number): (string | number)[] {
  const rtts = sortSamples(report.rttNs);
  const ms = (p: number) => (rtts.length === 0 ? '–' : (percentile(rtts, p) / 1e6).toFixed(2));
  const { before, most, after } = report;
  const all = (of: 'memoryBytes' | 'descriptors' | 'threads', unit = 1) =>
    [before, most, after].map((usage) => Math.round(usage[of] / unit)).join(' ');
  return [
    report.port,
    report.inputs,
    `${report.firstSeed}–${report.lastSeed}`,
    failures,
    Math.round(report.answeredBytes / MIB),
    rtts.length,
    `${ms(50)}, ${ms(100)}`,
    all('memoryBytes', MIB),
    all('descriptors'),
    all('threads'),
    Math.round(report.tookMs / 1e3),
  ];
}
