/**
 * The bench's own process, through cell after cell: every server under every policy in every scenario, each with processes of its own.
 * A result is what a run keeps, by intent, and is thrown away here.
 */
import { measure } from '../../bench/measure/measure.ts';
import type { Workload } from '../../bench/result/result.ts';
import { type PlannedCell, planCells } from '../../bench/run/plan.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { EDITOR, TALK_SERVERS } from '../../server/servers.ts';
import { usageOf } from '../usage.ts';
import type { Subject } from './subject.ts';

/** Short: what could leak is made at a cell's start and must go at its end. */
const WORKLOAD: Workload = {
  messages: 20,
  payloadBytes: 8_192,
  delayNs: 0,
  warmupMessages: 10,
  budgetNs: 200e6,
  spinners: 1,
  spinnerKind: 'fib',
  interpreterCostNs: 10_000,
  maxMessageBytes: 2 ** 20,
  peerTimeoutNs: 30e9,
  host: '127.0.0.1',
  port: 0,
};
const LEAF_NS = 300;
/** A cycle is a second or two. */
const LEAST_CYCLES = 8;
const never = new AbortController().signal;

/** All cells there are, the next one in each cycle. */
export async function orchestrator(): Promise<Subject> {
  const policies = await Promise.all(Object.keys(POLICIES).map((name) => readPolicySpec(name)));
  const cells: readonly PlannedCell[] = [
    ...planCells(TALK_SERVERS, policies, ['loaded', 'offloaded']),
    ...planCells([EDITOR], policies, ['gui']),
  ];
  let next = 0;
  return {
    name: `orchestrator, ${cells.length} cells in turn`,
    leastCycles: LEAST_CYCLES,
    async cycle() {
      const cell = cells[next++ % cells.length] as PlannedCell;
      const setup = { workload: WORKLOAD, leafNs: LEAF_NS, lockCounter: null, records: false };
      const round = await measure({ round: 1, cell }, setup, never, never);
      if (round?.state !== 'measured') throw new Error(`${cell.server} ${cell.policy.label}: ${round?.message}`);
    },
    usage() {
      if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
      globalThis.gc();
      return usageOf(process.pid);
    },
    stop: () => Promise.resolve(),
  };
}
