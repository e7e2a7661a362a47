/**
 * `npm run figures`: what a round trip of the apparatus costs, against a C server and client in alternating rounds of one run. Needs a
 * C compiler; without one it is reported as not measured. Prints; asserts nothing: a shared machine fails a threshold for reasons
 * of its own. Beside the real interpreters: `convoy fidelity`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { percentile, sortSamples, spreadOf } from '../bench/figures/statistics.ts';
import { measure } from '../bench/measure/measure.ts';
import type { MeasuredRound, Scenario, Workload } from '../bench/result/result.ts';
import type { PlannedCell } from '../bench/run/plan.ts';
import { createLockState, GlobalLock } from '../lock/global-lock.ts';
import { Interpreter, measureLeafNs, TICK_NS } from '../lock/interpreter.ts';
import freeThreaded from '../lock/policies/free-threaded.ts';
import { readPolicySpec } from '../lock/policy-spec.ts';

const SOURCES = resolve(import.meta.dirname, '../../test/native');
const ROUNDS = 5;
const TIMEOUT_MS = 120_000;
const never = new AbortController().signal;

const WORKLOAD: Workload = {
  messages: 1_000,
  payloadBytes: 8_192,
  delayNs: 1e6,
  warmupMessages: 2_000,
  budgetNs: 60e9,
  spinners: 1,
  spinnerKind: 'fib',
  interpreterCostNs: 10_000,
  maxMessageBytes: 2 ** 20,
  peerTimeoutNs: 30e9,
  host: '127.0.0.1',
  port: 0,
};

const leafNs = measureLeafNs(
  new Interpreter(new GlobalLock(freeThreaded, {}, createLockState(freeThreaded), 1), TICK_NS),
);
const folder = mkdtempSync(join(tmpdir(), 'convoy-figures-'));

/** One cell, measured once. */
async function convoy(policy: string, scenario: Scenario, workload: Workload): Promise<MeasuredRound> {
  const cell: PlannedCell = { server: 'blocking', policy: await readPolicySpec(policy), scenario };
  const round = await measure(
    { round: 1, cell },
    { workload, leafNs, lockCounter: null, records: false },
    never,
    never,
  );
  if (round?.state !== 'measured') throw new Error(round?.message);
  return round;
}

/** A server of another make, started, given to `use` with its port, and ended. */
async function withServer<T>(command: string, args: string[], use: (port: number) => Promise<T>): Promise<T> {
  const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => server.once('exit', resolve));
  try {
    for await (const line of createInterface(server.stdout)) return await use(Number(line));
    throw new Error(`${command} said no port`);
  } finally {
    server.stdin.end();
    await exited;
  }
}

const p50 = (rttNs: Iterable<number>) => percentile(sortSamples(rttNs), 50);
const report = (what: string, values: readonly number[], write: (value: number) => string) => {
  const spread = spreadOf(values);
  if (spread === null) return;
  const range = `${write(spread.min)}–${write(spread.max)}`;
  process.stdout.write(`${what}: ${write(spread.median)} (${range}, ${values.length} rounds)\n`);
};
const ratio = (value: number) => value.toFixed(2);
const micros = (ns: number) => `${(ns / 1e3).toFixed(1)} µs`;

/** Compiles a C program; null, and said so, where there is no compiler. */
function compiled(name: string): string | null {
  const binary = join(folder, name);
  try {
    execFileSync('cc', ['-O2', '-pthread', '-o', binary, join(SOURCES, `${name}.c`)], { stdio: 'ignore' });
    return binary;
  } catch {
    process.stdout.write(`not measured, for there is no C compiler: ${name}\n`);
    return null;
  }
}

async function apparatus(): Promise<void> {
  const echo = compiled('echo');
  if (echo === null) return;
  const bare: Workload = { ...WORKLOAD, interpreterCostNs: 0 };
  const args = [bare.messages, bare.payloadBytes, bare.delayNs, bare.warmupMessages].map(String);
  const rounds: { c: number; ours: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const c = await withServer(echo, ['server'], async (port) => {
      const output = execFileSync(echo, ['client', `${port}`, ...args], { encoding: 'utf8', timeout: TIMEOUT_MS });
      return p50(output.trim().split('\n').map(Number));
    });
    rounds.push({ c, ours: p50((await convoy('free-threaded', 'unloaded', bare)).rttNs) });
  }
  report(
    'round trip p50, C server and client',
    rounds.map(({ c }) => c),
    micros,
  );
  report(
    'round trip p50, Convoy unlocked, unloaded, interpreter cost 0',
    rounds.map(({ ours }) => ours),
    micros,
  );
  report(
    '  ratio',
    rounds.map(({ c, ours }) => ours / c),
    ratio,
  );
}

try {
  await apparatus();
} finally {
  rmSync(folder, { recursive: true });
}
