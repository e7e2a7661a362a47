/** Finding interpreters: what is missing or no use is said so, and never an exception. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulationOf } from '../../../bench/figures/fidelity.ts';
import { findReferences, isInterpreter, type ReferenceSpec } from '../../../bench/reference/interpreter.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-interpreter-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that is found in the place of an interpreter. */
function standIn(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function identity(values: object): string {
  const said = {
    executable: '/nowhere/python',
    prefix: '/nowhere',
    implementation: 'CPython',
    version: '3.11.7',
    language: [3, 11, 7],
    build: 'main',
    switchIntervalNs: 5e6,
    freeThreaded: false,
    pyzmq: null,
    ...values,
  };
  return `echo '${JSON.stringify(said)}'`;
}

const why = ([spec]: ReferenceSpec[]) => (spec?.from.kind === 'absent' ? spec.from.why : 'it was found');

describe('is reported as absent:', () => {
  it('a name that is nowhere', async () => {
    expect(why(await findReferences(['python9.9']))).toMatch(/there is no «python9\.9»/);
  });

  it('a path where nothing is', async () => {
    expect(why(await findReferences(['./nowhere/python']))).toMatch(/does not run: .*ENOENT/);
  });

  it('one that does not start, with its own last words', async () => {
    const broken = standIn('broken', 'echo "libpython.so: cannot open" >&2; exit 127');
    expect(why(await findReferences([broken]))).toMatch(/does not run: libpython\.so: cannot open/);
  });

  it('a program that is no Python', async () => {
    expect(why(await findReferences([standIn('cat', 'echo hello')]))).toMatch(/is no Python/);
  });

  it.each([[[2, 6, 9]], [[3, 5, 10]]])('a Python that is too old: %j', async (language) => {
    const old = standIn('old', identity({ language }));
    expect(why(await findReferences([old]))).toMatch(/too old, 2\.7 or 3\.6 is needed/);
  });
});

it('an interpreter that goes by two names is one column', async () => {
  const [a, b] = [standIn('a', identity({})), standIn('b', identity({}))];
  expect((await findReferences([a, b])).map(({ label }) => label)).toEqual(['CPython 3.11.7']);
});

it('two builds of one version are told apart by where they are', async () => {
  const a = standIn('a', identity({ executable: '/one/python', prefix: '/one' }));
  const b = standIn('b', identity({ executable: '/other/python', prefix: '/other' }));
  expect((await findReferences([a, b])).map(({ label }) => label)).toEqual([
    'CPython 3.11.7 (/one/python)',
    'CPython 3.11.7 (/other/python)',
  ]);
});

it('each is paired with the policy that emulates it, and PyPy with none', async () => {
  const emulations = async (values: object) => {
    const [spec] = await findReferences([standIn('python', identity(values))]);
    if (spec === undefined || !isInterpreter(spec)) throw new Error('no interpreter');
    return emulationOf(spec);
  };
  expect(await emulations({ language: [2, 7, 18] })).toBe('py27');
  expect(await emulations({ language: [3, 14, 0] })).toBe('py32');
  expect(await emulations({ language: [3, 14, 0], freeThreaded: true })).toBe('free-threaded');
  expect(await emulations({ implementation: 'PyPy', language: [3, 9, 16] })).toBeNull();
});
