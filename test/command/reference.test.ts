/** Interpreters beside policies, by running the command: what is there is measured, what is not says so. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { interpreterProfileSchema } from '../../bench/profiles/interpreter-profile.ts';
import { ECHO_SERVERS, findReferences, isInterpreter } from '../../bench/reference/interpreter.ts';
import { withLockCounter } from '../../bench/reference/lock-counter.ts';
import { resultSchema } from '../../bench/result/result.ts';
import { profileSchema } from '../../bench/simulate/profile.ts';
import { Convoy, convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

const [python] = (await findReferences(['python3'])).filter(isInterpreter);
const [python2] = (await findReferences(['python2.7'])).filter(isInterpreter);
const hasCompiler = await withLockCounter(async (library) => library !== null);
const path = python?.from.path ?? '';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-reference-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const readResult = (file: string) => resultSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
const SHORT = ['--server', 'blocking', '--rounds', '1', '--messages', '20', '--warmup', '10'];

describe.skipIf(python === undefined)('an interpreter', () => {
  it('is a column with its version and build; one that is not there says so, and the others are measured', async () => {
    const json = join(folder, 'columns.json');
    const { code, stdout } = await convoy(
      ...[...SHORT, '--policy', 'py32', '--scenario', 'loaded,offloaded', '--reference', `${path},python9.9`],
      ...['--json', json],
    );
    expect(code).toBe(EXIT.cellFailed);
    expect(stdout).toContain(python?.label);
    expect(stdout).toMatch(/python9\.9\/blocking loaded failed .* there is no «python9\.9»/);
    const { cells, policies } = readResult('columns.json');
    expect(policies.map(({ from }) => from.kind)).toEqual(['built-in', 'interpreter', 'absent']);
    expect(policies[1]?.from).toMatchObject({ implementation: python?.from.implementation, build: python?.from.build });
    for (const { policy, rounds } of cells) {
      expect(rounds.map(({ state }) => state)).toEqual([policy === 'python9.9' ? 'failed' : 'measured']);
    }
  });

  it('that has no pyzmq says so for zeromq alone, and native is none of its servers', async () => {
    // Without its site-packages.
    const without = join(folder, 'without-packages');
    writeFileSync(without, `#!/bin/sh\nexec '${path}' -S -E "$@"\n`);
    chmodSync(without, 0o755);
    const json = join(folder, 'zeromq.json');
    const args = [
      '--policy',
      'free-threaded',
      '--scenario',
      'unloaded',
      '--messages',
      '5',
      '--warmup',
      '5',
      '--json',
      json,
    ];
    await convoy(...args, '--server', 'native,zeromq', '--reference', without);
    const { cells } = readResult('zeromq.json');
    const [reference] = readResult('zeromq.json').policies.filter(({ from }) => from.kind === 'interpreter');
    const own = cells.filter(({ policy }) => policy === reference?.label);
    expect(own.map(({ server }) => server)).toEqual(['zeromq']);
    for (const { rounds } of own) {
      expect(rounds).toEqual([
        expect.objectContaining({ state: 'failed', message: `${reference?.label} has no pyzmq` }),
      ]);
    }
  });

  it('that crashes at its start says so with its last words, and the others are measured', async () => {
    const crashing = join(folder, 'crashing');
    const identity = { ...python?.from, kind: undefined, path: undefined, executable: crashing, prefix: folder };
    writeFileSync(
      crashing,
      `#!/bin/sh\n[ "$2" = identify ] && exec echo '${JSON.stringify(identity)}'\necho 'Fatal Python error' >&2; exit 1\n`,
    );
    chmodSync(crashing, 0o755);
    const { code, stderr, stdout } = await convoy(...SHORT, '--policy', 'free-threaded', '--reference', crashing);
    expect(stderr).toMatch(
      /failed round 1: .*: the server's process \(.*\) ended with exit code 1; it wrote:\nFatal Python error/,
    );
    expect(stdout).toMatch(/loaded: seconds [\s\S]*\nblocking +\d+\.\d s/);
    expect(code).toBe(EXIT.cellFailed);
  });

  it.each(['server', 'bench'] as const)('when the %s is killed in mid-run nothing of it is left', async (what) => {
    const run = new Convoy('--server', 'blocking', '--rounds', '1', '--policy', 'free-threaded', '--reference', path);
    const interpreters = () =>
      run.processes().filter((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          return command.includes(ECHO_SERVERS.slice(-30)) && !command.includes('identify');
        } catch {
          return false;
        }
      });
    await run.until(() => interpreters().length === 1);
    await delay(200);
    const [pid] = interpreters();
    if (what === 'bench') run.process.kill('SIGKILL');
    else if (pid !== undefined) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await run.finished();
    if (what === 'server') {
      expect(stderr).toMatch(/failed round 1: .*: the server's process \(.*\) ended by SIGKILL/);
      expect(code).toBe(EXIT.cellFailed);
    }
    expect(await run.leftovers()).toEqual([]);
  });
});

it('gui has no server in Python', async () => {
  const { code, stderr } = await runHere('--scenario', 'gui', '--reference', 'python3');
  expect(stderr).toMatch(/gui has no server in Python/);
  expect(code).toBe(EXIT.usage);
});

describe('fidelity', () => {
  it.skipIf(python === undefined)('puts each pair beside each other, and writes an ordinary result', async () => {
    const json = join(folder, 'fidelity.json');
    const { code, stdout } = await convoy('fidelity', ...SHORT, '--reference', `${path},pypy9`, '--json', json);
    expect(stdout).toMatch(new RegExp(`py32 beside ${python?.label}, blocking: inconclusive|: fail|: pass`));
    for (const figure of ['unloaded', 'excess', 'p50', 'p90', 'p99', 'CPU thread keeps'])
      expect(stdout).toContain(figure);
    expect(stdout).toMatch(/pypy9: not compared: there is no «pypy9»/);
    expect(code).toBe(EXIT.cellFailed);
    const { cells, fidelity } = readResult('fidelity.json');
    expect(cells).toHaveLength(4);
    expect(fidelity).toMatchObject([
      { policy: 'py32', reference: python?.label, server: 'blocking', state: 'compared' },
    ]);
  });

  it('has nothing to say where there is no interpreter', async () => {
    const { code, stderr } = await runHere('fidelity', '--reference', 'python9.9');
    expect(stderr).toMatch(/no interpreter to compare with\npython9\.9: not compared: there is no/);
    expect(code).toBe(EXIT.usage);
  });
});

describe('calibrate', () => {
  it('measures the machine, and simulate reads the profile', async () => {
    const profile = join(folder, 'machine.json');
    const { code, stdout } = await convoy('calibrate', '--rounds', '1', '--profile', profile);
    expect(stdout).toMatch(/measured by convoy calibrate, once;/);
    expect(code).toBe(EXIT.ok);
    const { cpus, lock, scheduler } = profileSchema.parse(JSON.parse(readFileSync(profile, 'utf8')));
    expect(cpus).toBe(availableParallelism());
    // What meets on two CPUs.
    if (cpus > 1) expect(lock.contention?.waitNs.length).toBeGreaterThan(0);
    expect(scheduler.idle?.entering[0]?.idleNs).toBe(0);
    expect(lock.cold?.extraNs.offer.at(-1)?.[1]).toBeGreaterThan(0);
    const simulated = await convoy('simulate', '--profile', profile, '--messages', '20', '--server', 'blocking');
    expect(simulated).toMatchObject({ code: EXIT.ok, stderr: expect.not.stringContaining('fail') });
  });

  it('measures the machine in the rounds of a bench, for a simulation of them', async () => {
    const profile = join(folder, 'minutes.json');
    const json = join(folder, 'minutes-talk.json');
    const few = ['--server', 'blocking', '--policy', 'py32,priority', '--messages', '20'];
    expect(await convoy(...few, '--calibrate', profile, '--json', json)).toMatchObject({ code: EXIT.ok });
    expect(readFileSync(profile, 'utf8')).toContain('measured by convoy calibrate, once;');
    const { code, stdout } = await convoy('simulate', '--against', json, '--profile', profile);
    expect(stdout).toMatch(/of whose order the measured rounds leave no doubt \(95 %\), of 1,/);
    expect(code).toBe(EXIT.ok);
  });

  it.skipIf(python === undefined || !hasCompiler)('writes a profile that bench reads', async () => {
    const profile = join(folder, 'profile.json');
    const calibrated = await convoy(
      'calibrate',
      '--against',
      path,
      '--rounds',
      '1',
      '--messages',
      '30',
      '--profile',
      profile,
    );
    expect(calibrated).toMatchObject({ code: EXIT.ok });
    const { parameters, calibration } = interpreterProfileSchema.parse(JSON.parse(readFileSync(profile, 'utf8')));
    expect(calibration?.interpreters.map(({ label }) => label)).toEqual([python?.label]);
    expect(calibration?.fits).toMatchObject([{ policy: 'py32', to: python?.label, server: 'blocking' }]);
    const json = join(folder, 'calibrated.json');
    await convoy(...SHORT, '--policy', 'py32', '--scenario', 'unloaded', '--profile', profile, '--json', json);
    expect(readResult('calibrated.json').workload.interpreterCostNs).toBe(parameters.interpreterCostNs);
  });

  it.skipIf(python2 === undefined || !hasCompiler)(
    'fits work of py27 to Python 2.7, and counts its ticks',
    async () => {
      const profile = join(folder, 'profile2.json');
      const { code, stdout } = await convoy(
        ...[
          'calibrate',
          '--against',
          python2?.from.path ?? '',
          '--rounds',
          '1',
          '--messages',
          '20',
          '--profile',
          profile,
        ],
      );
      expect(code).toBe(EXIT.ok);
      expect(stdout).toMatch(/py27: .* us that count for .* ticks, a leaf of a CPU thread for .*/);
      const { parameters, calibration } = interpreterProfileSchema.parse(JSON.parse(readFileSync(profile, 'utf8')));
      const { fits, interpreters } = calibration ?? {};
      expect(fits).toHaveLength(1);
      expect(parameters.py27).toEqual({
        interpreterCostNs: fits?.[0]?.costNs,
        ticksPerLeaf: interpreters?.[0]?.ticksPerLeaf,
        ticksPerCall: interpreters?.[0]?.ticksPerCall,
      });
    },
  );

  it('needs an interpreter that is there', async () => {
    const { code, stderr } = await runHere(
      ...['calibrate', '--against', 'python9.9', '--profile', join(folder, 'none.json')],
    );
    expect(stderr).toMatch(/--against python9\.9: there is no «python9\.9»/);
    expect(code).toBe(EXIT.usage);
  });
});

it.each([
  ['{', /is no profile of convoy calibrate/],
  ['{"format":"convoy-result"}', /is no profile of convoy calibrate:[\s\S]*format/],
])('a profile that is none is refused: %s', async (text, message) => {
  const file = join(folder, 'none.json');
  writeFileSync(file, text);
  const { code, stderr } = await runHere('--profile', file);
  expect(stderr).toMatch(message);
  expect(code).toBe(EXIT.usage);
});
