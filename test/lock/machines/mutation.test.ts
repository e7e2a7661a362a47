/** A small part of `npm run mutants`: py27, whose mutants take no time. The rest is an npm script of its own, since it takes minutes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import check from './mutant-checker.ts';
import { mutantsOf } from './mutation.ts';

const folder = mkdtempSync(join(tmpdir(), 'convoy-mutation-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('no step of py27 can be left out, changed or swapped without breaking a property or a claim', async () => {
  const mutants = mutantsOf('py27');
  const survivors: string[] = [];
  for (const [i, { change, line, text }] of mutants.entries()) {
    const path = join(folder, `py27-${i}.mjs`);
    writeFileSync(path, text);
    if ((await check(pathToFileURL(path).href)) === undefined) survivors.push(`line ${line}: ${change}`);
  }
  expect(mutants.length).toBeGreaterThan(15);
  expect(survivors).toEqual([]);
});
