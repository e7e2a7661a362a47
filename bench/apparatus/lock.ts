/**
 * `npm run bench:lock`: what the parts cost. Acquire and release alone and against another thread, a yield point, a hand-off, the
 * frame codec. Medians; a shared machine makes the means meaningless.
 */
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { Bench } from 'tinybench';
import { createLockState, GlobalLock, type LockState } from '../../lock/global-lock.ts';
import { Interpreter, TICK_NS } from '../../lock/interpreter.ts';
import { loadPolicy } from '../../lock/load-policy.ts';
import { ThreadMemory } from '../../lock/machines/threads.ts';
import { INTS_PER_WORD } from '../../lock/memory.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import type { Policy } from '../../lock/policy.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { encodeFrame, payloadLength } from '../../net/frame.ts';
import type { PartnerTask, PartnerWork } from '../../workers/lock-partner.ts';

const PARTNER = new URL('../../workers/lock-partner.js', import.meta.url);
/** Operations in a sample: one alone is too short for the clock. */
const PER_SAMPLE = 1_000;
const FIB = 20;

interface Measured {
  readonly what: string;
  readonly policy: string;
  readonly bench: Bench;
  /** Operations in a sample. */
  readonly per: number;
}

const measured: Measured[] = [];

/** Measures `PER_SAMPLE` calls of `operation` for half a second. */
function time(what: string, policy: string, operation: () => void, per = PER_SAMPLE): void {
  const bench = new Bench({ time: 500, warmupTime: 100 });
  bench.add(what, () => {
    for (let i = 0; i < per; i++) operation();
  });
  bench.runSync();
  measured.push({ what, policy, bench, per });
}

/** Runs a second thread meanwhile. */
async function beside(work: PartnerWork, during: () => void): Promise<void> {
  const told = new Int32Array(new SharedArrayBuffer(2 * INTS_PER_WORD * Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(PARTNER, { workerData: { ...work, told: told.buffer } satisfies PartnerTask });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve) => worker.once('message', resolve));
  during();
  Atomics.store(told, 0, 1);
  await exited;
}

function lockOf(policy: Policy, options: Readonly<Record<string, number>>, state: LockState): GlobalLock {
  return new GlobalLock(policy, options, state, 1);
}

for (const name of Object.keys(POLICIES)) {
  const spec = await readPolicySpec(name);
  const policy = await loadPolicy(spec);
  const state = createLockState(policy);
  const lock = lockOf(policy, spec.options, state);
  const pair = () => {
    lock.acquire();
    lock.release();
  };
  time('acquire + release, alone', name, pair);
  await beside({ kind: 'contend', spec, state }, () =>
    time('acquire + release, another thread does the same', name, pair),
  );

  const interpreter = new Interpreter(lockOf(policy, spec.options, createLockState(policy)), TICK_NS);
  time(`fib(${FIB}) with yield points`, name, () => interpreter.fib(FIB), 10);
}

/** The recursion of the interpreter, without its yield points. */
function fibWithoutYieldPoints(n: number): number {
  return n < 2 ? n : fibWithoutYieldPoints(n - 1) + fibWithoutYieldPoints(n - 2);
}
time(`fib(${FIB}) without`, '', () => fibWithoutYieldPoints(FIB), 10);

const words = new SharedArrayBuffer(2 * INTS_PER_WORD * Int32Array.BYTES_PER_ELEMENT);
const memory = new ThreadMemory(new Int32Array(words));
await beside({ kind: 'hand-off', words }, () => {
  time('hand-off to another thread and back', '', () => {
    memory.store(0, 1);
    memory.notify(0, 1);
    while (memory.load(0) === 1) memory.wait(0, 1, Infinity);
  });
  memory.store(0, 2);
  memory.notify(0, 1);
});

const payload = new Uint8Array(8192);
const frame = encodeFrame(payload);
time('encode a frame of 8 KiB', '', () => void encodeFrame(payload));
time('read a frame header', '', () => void payloadLength(frame, 8192));

const table = new Table({ head: ['operation', 'policy', 'median ns', 'p99 ns'], style: { head: [], border: [] } });
for (const { what, policy, bench, per } of measured) {
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error(`${what} ${policy} was not measured: ${result?.state}`);
  const ns = (milliseconds: number) => ((milliseconds * 1e6) / per).toFixed(0);
  table.push([what, policy, ns(result.latency.p50), ns(result.latency.p99)]);
}
process.stdout.write(`${table.toString()}\n`);
