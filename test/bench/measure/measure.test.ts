/** In which order a cell is measured, against a server side that writes down what it is asked. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSide } from '../../../bench/measure/server-side.ts';
import type { Scenario, Workload } from '../../../bench/result/result.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';
import { compiled } from '../../compiled.ts';

/** As it is built: it starts the client's process, which a runner of tests cannot load as TypeScript. */
const { measure } = (await import(
  compiled('bench/measure/measure.js').href
)) as typeof import('../../../bench/measure/measure.ts');

const WARMUP_MESSAGES = 4;
const WORKLOAD: Workload = {
  messages: 3,
  payloadBytes: 8,
  delayNs: 0,
  warmupMessages: WARMUP_MESSAGES,
  budgetNs: 10e9,
  spinners: 1,
  spinnerKind: 'fib',
  interpreterCostNs: 0,
  maxMessageBytes: 1_024,
  peerTimeoutNs: null,
  host: '127.0.0.1',
  port: 0,
};
const FRAME_BYTES = 4 + WORKLOAD.payloadBytes;
const never = new AbortController().signal;

/** Measures a cell whose server echoes; returns the round, and what was asked after how many messages. */
async function measured(
  scenario: Scenario,
  stop = () => Promise.resolve<{ connectionErrors: string[] }>({ connectionErrors: [] }),
) {
  let echoedBytes = 0;
  const echo = createServer((connection) => {
    connection
      .on('error', () => {})
      .on('data', (bytes) => {
        echoedBytes += bytes.length;
        connection.write(bytes);
      });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  onTestFinished(() => void echo.close());
  const asked: string[] = [];
  const ask = <Answer>(what: string, answer: Answer) => {
    asked.push(`${what} after ${echoedBytes / FRAME_BYTES}`);
    return Promise.resolve(answer);
  };
  const rates = [100, 300];
  const reading = { durationNs: 1e9, cpuNs: 0, spinnerRounds: 50, server: null, spinners: null, waits: null };
  const side: ServerSide = {
    process: { call: () => Promise.resolve(), ended: () => Promise.resolve(true), kill: () => {}, lost: undefined },
    start: () => ask('start', { port: (echo.address() as AddressInfo).port }),
    spin: () => ask('spin', {}),
    solo: () => ask('solo', { roundsPerSecond: rates.shift() ?? Number.NaN }),
    begin: () => ask('begin', {}),
    end: () => ask('end', { reading, calls: null, timeline: null, clockErrorNs: null, timeouts: null }),
    stop: () => ask('stop', null).then(stop),
  };
  const cell = { server: 'blocking', policy: await readPolicySpec('py32'), scenario };
  const setup = { workload: WORKLOAD, leafNs: 1, lockCounter: null, records: false, startServerSide: () => side };
  const round = await measure({ round: 1, cell }, setup, never, never);
  if (round?.state !== 'measured') throw new Error(round?.message);
  return { round, asked };
}

it('beside CPU threads the client settles before it counts, and what they get alone is the mean of before and after', async () => {
  const { round, asked } = await measured('loaded');
  expect(asked).toEqual([
    'start after 0',
    ...['spin', 'solo'].map((what) => `${what} after ${WARMUP_MESSAGES}`),
    `begin after ${3 * WARMUP_MESSAGES}`,
    ...['end', 'solo', 'stop'].map((what) => `${what} after ${3 * WARMUP_MESSAGES + WORKLOAD.messages}`),
  ]);
  expect(round).toMatchObject({ soloRoundsPerSecond: 200, spinnerRoundsPerSecond: 50 });
});

it('without CPU threads it settles as well, and there is nothing they could get', async () => {
  const { round, asked } = await measured('unloaded');
  expect(asked).toEqual([
    'start after 0',
    `begin after ${3 * WARMUP_MESSAGES}`,
    ...['end', 'stop'].map((what) => `${what} after ${3 * WARMUP_MESSAGES + WORKLOAD.messages}`),
  ]);
  expect(round).toMatchObject({ soloRoundsPerSecond: null, spinnerRoundsPerSecond: null });
});

it('a server that does not end when it is told to loses nothing that was measured', async () => {
  const { round } = await measured('unloaded', () => Promise.reject(new Error('the server is deaf')));
  expect(round.rttNs).toHaveLength(WORKLOAD.messages);
  expect(round).toMatchObject({ ended: 'complete', connectionErrors: [], stopError: 'the server is deaf' });
});
