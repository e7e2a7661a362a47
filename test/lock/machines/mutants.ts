/**
 * The mutation run: does anything notice when one step of a policy is wrong? Each mutant is explored as `convoy check` explores policies;
 * those that come through are given to the named tests of the policy, which run against the mutant in place of the policy. What
 * nothing catches is listed. Run by `npm run mutants`, with names of policies or without; it takes minutes and is no part of `npm test`,
 * which has `mutation.test.ts`.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Piscina } from 'piscina';
import { type Mutant, mutantsOf } from './mutation.ts';

const NAMES = ['py27', 'pypy16', 'py32', 'priority'];
const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));
const run = promisify(execFile);

/** The test file of a policy, if it has one. */
function testsOf(policy: string): string | undefined {
  const file = `test/lock/policies/${policy}.test.ts`;
  return existsSync(join(PROJECT, file)) ? file : undefined;
}

/** Runs the named tests of a policy against a module. @returns the first test that fails; undefined if none does */
async function failingTest(policy: string, module: string): Promise<string | undefined> {
  const file = testsOf(policy);
  if (file === undefined) return undefined;
  const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
  const config = join(PROJECT, 'test/lock/machines/vitest.mutants.config.ts');
  const env = { ...process.env, CONVOY_MUTANT_OF: policy, CONVOY_MUTANT: module };
  try {
    await run(process.execPath, [vitest, 'run', '--config', config, '--reporter', 'json', file], { cwd: PROJECT, env });
    return undefined;
  } catch (error) {
    const { stdout } = error as { stdout: string };
    const failed = /"fullName":"([^"]*)","status":"failed"/.exec(stdout)?.[1];
    // A mutant that does not even load is no proof that a test looks at what was changed.
    if (failed === undefined) throw error;
    return failed;
  }
}

/** Whoever catches a mutant, in words; undefined if nobody does. */
async function catcher(checkers: Piscina, policy: string, module: string): Promise<string | undefined> {
  const property = (await checkers.run(module)) as string | undefined;
  if (property !== undefined) return `convoy check: ${property}`;
  const test = await failingTest(policy, module);
  return test === undefined ? undefined : `test: ${test}`;
}

const asked = process.argv.slice(2);
const policies = asked.length > 0 ? asked : NAMES;
const folder = mkdtempSync(join(tmpdir(), 'convoy-mutants-'));
const checkers = new Piscina({
  filename: new URL('./mutant-checker.js', import.meta.url).href,
  maxThreads: availableParallelism(),
  atomics: 'disabled',
});
const survivors: { readonly policy: string; readonly mutant: Mutant }[] = [];
const counts = { check: 0, test: 0 };
try {
  for (const policy of policies) {
    const sound = join(folder, `${policy}.mjs`);
    const mutants = mutantsOf(policy);
    const running = mutants.map((mutant, i) => {
      const path = sound.replace('.mjs', `-${i}.mjs`);
      writeFileSync(path, mutant.text);
      return { mutant, caughtBy: catcher(checkers, policy, pathToFileURL(path).href) };
    });
    for (const { mutant, caughtBy } of running) {
      const by = await caughtBy;
      if (by === undefined) survivors.push({ policy, mutant });
      else counts[by.startsWith('test') ? 'test' : 'check']++;
      process.stdout.write(`${policy} line ${mutant.line}: ${mutant.change}: ${by ?? 'SURVIVES'}\n`);
    }
  }
} finally {
  await checkers.destroy();
  rmSync(folder, { recursive: true });
}

const caught = counts.check + counts.test;
const made = caught + survivors.length;
process.stdout.write(
  `\n${caught} of ${made} mutants caught (${((100 * caught) / made).toFixed(1)} %): ` +
    `${counts.check} by convoy check, ${counts.test} by a named test of the policy\n`,
);
for (const { policy, mutant } of survivors) {
  process.stdout.write(`survives: ${policy} line ${mutant.line}: ${mutant.change}\n`);
}
process.exitCode = caught / made < 0.95 ? 1 : 0;
