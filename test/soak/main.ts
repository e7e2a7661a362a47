/**
 * `npm run soak -- --minutes 10`: half of the time every cell in turn, watched in the bench's own process, and half of it one long-lived
 * process of each server. Exit code 1 if memory, descriptors, threads or child processes of any of them grow by more than 5 %.
 */
import Table from 'cli-table3';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { SERVERS } from '../../server/servers.ts';
import { longLivedServer } from './long-lived-server.ts';
import { orchestrator } from './orchestrator.ts';
import { QUANTITIES, type Quantity, type Soaked, type Subject, soak } from './subject.ts';
import { grows, LEAST_MS, MOST_GROWTH } from './verdict.ts';

const MIB = 2 ** 20;

const { minutes } = await yargs(hideBin(process.argv))
  .scriptName('npm run soak --')
  .options({ minutes: { type: 'number', default: 10, describe: 'how long, all together' } })
  .strict()
  .parseAsync();

const halfMs = (minutes * 60_000) / 2;
const servers = Object.keys(SERVERS);
const subjects: readonly [() => Promise<Subject>, number][] = [
  [orchestrator, halfMs],
  ...servers.map((name): [() => Promise<Subject>, number] => [() => longLivedServer(name), halfMs / servers.length]),
];

const columns: Readonly<Record<Quantity, string>> = {
  memoryBytes: 'MiB',
  descriptors: 'descriptors',
  threads: 'threads',
  children: 'processes',
};
const head = ['process', 'cycles', ...QUANTITIES.map((quantity) => columns[quantity])];
const table = new Table({ head, style: { head: [], border: [] } });
const faults: string[] = [];

for (const [start, durationMs] of subjects) {
  try {
    const soaked = await soak(await start(), durationMs);
    table.push([soaked.name, soaked.cycles, ...QUANTITIES.map((quantity) => cellOf(soaked, quantity))]);
    for (const quantity of QUANTITIES)
      if (grows(quantity, soaked, durationMs)) faults.push(`${columns[quantity]} of ${soaked.name} grow`);
  } catch (error) {
    // What was measured of the others is shown.
    faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

process.stdout.write(`${table}\nat the end, and growth by the trend over all samples after the warm-up\n`);
if (halfMs / servers.length < LEAST_MS)
  process.stdout.write(
    'a soak of seconds: memory of servers is not judged, the rest is for a leak in every other cycle\n',
  );
process.stdout.write(faults.length === 0 ? `flat within ${100 * MOST_GROWTH} %\n` : `${faults.join('\n')}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

function cellOf({ quantities }: Soaked, quantity: Quantity): string {
  const { last, growth } = quantities[quantity];
  const value = quantity === 'memoryBytes' ? (last / MIB).toFixed(0) : `${last}`;
  return `${value} (${growth >= 0 ? '+' : ''}${(100 * growth).toFixed(1)} %)`;
}
