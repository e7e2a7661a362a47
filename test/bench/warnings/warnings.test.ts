import { describe, expect, it } from 'vitest';
import type { Cell, Column } from '../../../bench/result/result.ts';
import { warningsOf } from '../../../bench/warnings/warnings.ts';
import { cell, ENVIRONMENT, measured, roundsOf, WORKLOAD } from '../result-builder.ts';

const kinds = (cells: readonly Cell[], environment = ENVIRONMENT, workload = WORKLOAD) =>
  warningsOf(cells, environment, workload).map(({ kind }) => kind);
const warning = (kind: string, cells: readonly Cell[], workload = WORKLOAD) => {
  const found = warningsOf(cells, ENVIRONMENT, workload).filter((each) => each.kind === kind);
  expect(found).toHaveLength(1);
  return found[0];
};
/** Enough messages, of a steady cell. */
const many = (options = {}) => measured({ rttMs: Array(1_000).fill(0.2), ...options });
const calm = (name: string, options = {}) => cell(name, [many(options)]);

describe('warnings', () => {
  it('are absent where there is nothing to warn of', () => {
    expect(kinds([calm('py32/blocking unloaded'), calm('py32/blocking loaded')])).toEqual([]);
  });

  it.each([
    ['few-cpus', { cpuCount: 2 }],
    ['busy-machine', { loadBefore: 5 }],
    ['stolen-time', { stolenShare: 0.05 }],
  ] as const)('tell of the machine: %s', (kind, environment) => {
    expect(kinds([calm('py32/blocking loaded')], { ...ENVIRONMENT, ...environment })).toEqual([kind]);
  });

  it.each([
    ['0', '1', 1, 'the server and the CPU thread must share CPU 0'],
    ['0-1', '2', 2, 'the server and 2 CPU threads must share CPU 0-1'],
    ['0-1', '1', 1, 'the client, on CPU 1, must share with the server and the CPU thread, on CPU 0-1'],
    ['0-1', '2', 1, undefined],
    ['0-2', '1', 1, undefined],
    [undefined, '0', 1, undefined],
  ])('tell who must share where it is placed: server on %s, client on %s, %i CPU threads', (...placed) => {
    const [serverCpus, clientCpus, spinners, message] = placed;
    const workload = { ...WORKLOAD, serverCpus, clientCpus, spinners };
    const found = warningsOf([calm('py32/blocking loaded')], ENVIRONMENT, workload);
    expect(found.find(({ kind }) => kind === 'shared-cpus')?.message).toBe(message);
    expect(found.map(({ kind }) => kind)).not.toContain('few-cpus');
  });

  it('count the CPUs of two machines apart', () => {
    const on = (cpuCount: number) => ({ ...ENVIRONMENT, cpuCount });
    const of = (client: number, server: number) =>
      warningsOf([calm('py32/blocking loaded')], on(client), WORKLOAD, [], on(server));
    expect(of(1, 2)).toEqual([]);
    expect(of(8, 1)).toMatchObject([
      { kind: 'few-cpus', message: "2 busy threads (server, 1 CPU) on 1 CPUs of the server's machine" },
    ]);
    const busy = warningsOf([calm('py32/blocking loaded')], ENVIRONMENT, WORKLOAD, [], { ...on(8), loadBefore: 5 });
    expect(busy).toMatchObject([{ kind: 'busy-machine', message: expect.stringContaining("of the server's machine") }]);
  });

  it('tell where the clocks of two machines were too far apart to split round trips', () => {
    const far = { ...many(), clockErrorNs: 35_400, lockWaitNs: null, workNs: null };
    const near = { ...many(), clockErrorNs: 12_000 };
    const cells = [cell('py32/a unloaded', [far, near]), cell('py32/a loaded', [near])];
    expect(warning('clocks-apart', cells)?.message).toMatch(
      /not said of py32\/a unloaded: .* to 35 µs, more than 10 %/,
    );
    expect(kinds([cell('py32/a loaded', [near])])).not.toContain('clocks-apart');
  });

  it('tell of rounds that disagree, the worst first', () => {
    const cells = [
      cell('py32/blocking loaded', roundsOf([4, 7, 4])),
      cell('py32/native loaded', roundsOf([4, 20, 4])),
      cell('py32/zeromq loaded', roundsOf([4, 5, 4])),
    ];
    expect(warning('rounds-disagree', cells)?.message).toMatch(
      /more than 1\.5×: py32\/native loaded \(5\.0×\), py32\/blocking loaded \(1\.8×\)$/,
    );
  });

  it('tell of drift when most cells move from the first round to the last, not when one does', () => {
    const drifting = ['a', 'b', 'c'].map((server) => cell(`py32/${server} loaded`, roundsOf([4, 4.5, 5])));
    expect(warning('drift', drifting)?.message).toContain('1.25 times');
    const steady = ['a', 'b'].map((server) => cell(`py32/${server} loaded`, roundsOf([4, 4, 4])));
    expect(kinds([...steady, cell('py32/c loaded', roundsOf([4, 4.5, 5]))])).not.toContain('drift');
  });

  it('tell that p99.9 of fewer than 1,000 messages is their maximum', () => {
    const cells = [calm('py32/a loaded'), cell('pypy16/b loaded', [measured({ ended: 'budget' })])];
    expect(warning('few-messages', cells)?.message).toMatch(/: pypy16\/b loaded \(4\)$/);
  });

  it('name a few cells and count the rest', () => {
    const cells = ['a', 'b', 'c', 'd', 'e'].map((server) => cell(`py32/${server} loaded`, [measured()]));
    expect(warning('few-messages', cells)?.message).toMatch(/py32\/a .*py32\/b .*py32\/c .* and 2 more$/);
  });

  it.each([
    [0.05, /5\.0 % of a CPU.* 2\.\d % is interpreter work \(3\.0 calls a message, 10 µs each\), 2\.\d % system calls/],
    [0.31, /31\.0 % of a CPU/],
  ])('tell what the CPU share of an unloaded server is made of when it is not the talk’s: %d', (cpuShare, message) => {
    const cells = [
      calm('py32/blocking unloaded', { cpuShare }),
      calm('py27/blocking unloaded', { cpuShare }),
      calm('py32/blocking loaded', { cpuShare: 1 }),
    ];
    expect(warning('cpu-share', cells)?.message).toMatch(message);
  });

  it('hold interpreters, whose work is their own, against nobody’s CPU share', () => {
    const cells = [calm('py32/blocking unloaded'), calm('pypy3/blocking unloaded', { cpuShare: 0.9 })];
    const pypy: Column = { label: 'pypy3', from: { kind: 'absent', name: 'pypy3', why: 'there is none' } };
    expect(warningsOf(cells, ENVIRONMENT, WORKLOAD, [pypy])).toEqual([]);
  });

  it('tell once of which locks nothing is known', () => {
    const cells = ['a', 'b'].map((server) => calm(`PyPy 7.3.11/${server} loaded`, { counted: false }));
    expect(warning('lock-not-counted', [...cells, calm('py32/a loaded')])?.message).toMatch(/of PyPy 7\.3\.11$/);
  });

  it('do not advise a dearer interpreter where none takes part', () => {
    const cells = [calm('py32/native unloaded', { cpuShare: 0.06, counts: { transitions: 0 } })];
    expect(warning('cpu-share', cells)?.advice).toContain('no interpreter takes part');
  });

  it('say nothing of the CPU share at another pacing than the talk’s', () => {
    const cells = [calm('py32/blocking unloaded', { cpuShare: 0.9 })];
    expect(kinds(cells, ENVIRONMENT, { ...WORKLOAD, delayNs: 0 })).toEqual([]);
  });

  it('tell of cells that were cut off, failed, or had other guests', () => {
    const cells = [
      cell('pypy16/blocking loaded', [many({ ended: 'budget' })]),
      cell('py27/blocking loaded', [many(), { state: 'failed', round: 2, message: 'gone' }]),
      cell('py32/blocking loaded', [many({ connectionErrors: ['reset'] })]),
      cell('priority/blocking loaded', [many({ stopError: 'no answer' })]),
    ];
    expect(kinds(cells)).toEqual(['projected', 'failed', 'connection-errors', 'not-stopped']);
  });

  it('all have an advice', () => {
    const cells = [cell('py32/blocking unloaded', [measured({ ended: 'budget', cpuShare: 0 }), ...roundsOf([9, 90])])];
    for (const { advice } of warningsOf(cells, { ...ENVIRONMENT, cpuCount: 1 }, WORKLOAD)) expect(advice).not.toBe('');
  });
});
