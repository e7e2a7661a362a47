/**
 * `npm run test:nodes`: the tests of the README under each version of Node that is supported, one after the other, since tests take
 * ratios of times. `npm run test:nodes -- 22 24` runs those lines only. Fetches what is not there into .cache/, and leaves the
 * output of each run there. Exits with 1 if the tests failed under any.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import Table from 'cli-table3';
import { z } from 'zod';
import { CACHE, NODE_PACKAGE, NODE_VERSIONS, nodeBinary } from './node-versions.ts';

/** `npm test` takes about 10 minutes on 2 CPUs. */
const TIMEOUT_MS = 20 * 60_000;

/** What is read of vitest's own report. */
const countsSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
});

interface Outcome {
  readonly version: string;
  readonly code: number | null;
  readonly seconds: number;
  /** null if it did not come to the tests: the build or the linter failed, or the time was over. */
  readonly counts: z.infer<typeof countsSchema> | null;
  readonly log: string;
}

/** Runs npm with a version of Node before all others on the path. */
async function npm(args: readonly string[], path: string, log: string): Promise<number | null> {
  const child = spawn('npm', args, {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    // What it starts ends with it, when the time is over.
    detached: true,
  });
  const output = createWriteStream(log);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const kill = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
  const timer = setTimeout(kill, TIMEOUT_MS);
  process.once('exit', kill);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('exit', kill);
  clearTimeout(timer);
  output.end();
  return code;
}

/** @returns the binary, fetched if need be */
async function fetched(version: string): Promise<string> {
  const there = nodeBinary(version);
  if (there !== null) return there;
  process.stdout.write(`Node ${version}: fetching\n`);
  const folder = resolve(CACHE, version);
  mkdirSync(folder, { recursive: true });
  const log = resolve(CACHE, `${version}.fetch.log`);
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `${NODE_PACKAGE}@${version}`];
  await npm(install, process.env['PATH'] ?? '', log);
  const binary = nodeBinary(version);
  if (binary === null) throw new Error(`Node ${version} could not be fetched; npm said:\n${readFileSync(log, 'utf8')}`);
  return binary;
}

async function testUnder(version: string): Promise<Outcome> {
  const binary = await fetched(version);
  process.stdout.write(`Node ${version}: npm test\n`);
  const log = resolve(CACHE, `${version}.log`);
  const report = resolve(CACHE, `${version}.json`);
  rmSync(report, { force: true });
  const startedAt = Date.now();
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await npm(
    ['test', '--', ...reporters],
    `${dirname(binary)}${delimiter}${process.env['PATH'] ?? ''}`,
    log,
  );
  return { version, code, seconds: (Date.now() - startedAt) / 1e3, counts: readCounts(report), log };
}

function readCounts(report: string): Outcome['counts'] {
  try {
    return countsSchema.parse(JSON.parse(readFileSync(report, 'utf8')));
  } catch {
    return null;
  }
}

// Ctrl-C ends what is running, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const lines = process.argv.slice(2);
const chosen = NODE_VERSIONS.filter((version) => lines.length === 0 || lines.includes(version.split('.')[0] ?? ''));
if (chosen.length < lines.length) throw new Error(`lines of Node: ${NODE_VERSIONS.join(', ')}`);
mkdirSync(CACHE, { recursive: true });
// All are there before the first is tested: one test compares what they compute.
for (const version of chosen) await fetched(version);
const outcomes: Outcome[] = [];
for (const version of chosen) outcomes.push(await testUnder(version));

const table = new Table({
  head: ['Node', 'npm test', 'passed', 'failed', 'skipped', 'seconds', 'output'],
  style: { head: [] },
});
for (const { version, code, counts, seconds, log } of outcomes) {
  const { numPassedTests = '–', numFailedTests = '–', numPendingTests = '–' } = counts ?? {};
  table.push([
    version,
    code === 0 ? 'passes' : 'fails',
    numPassedTests,
    numFailedTests,
    numPendingTests,
    seconds.toFixed(0),
    log,
  ]);
}
process.stdout.write(`${table}\n`);
process.exitCode = outcomes.every(({ code }) => code === 0) ? 0 : 1;
