import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UsageError } from '../../../bench/exit-codes.ts';
import { readResult, writeResult } from '../../../bench/result/result-file.ts';
import { wideResult } from '../result-builder.ts';

const result = wideResult(['py32']);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-result-file-'));
  mkdirSync(join(folder, 'folder.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a result is read as it was written, and nothing else is left beside it', async () => {
  const path = join(folder, 'whole.json');
  await writeResult(path, result);
  await writeResult(path, result);
  expect(await readResult(path)).toEqual(result);
  expect(readdirSync(folder).filter((name) => name.includes('part'))).toEqual([]);
});

const text = JSON.stringify(result);
it.each([
  ['cut.json', text.slice(0, text.length / 2), /is no JSON, or was cut off/],
  ['empty.json', '', /is empty/],
  ['text.json', 'seconds: 12', /is no JSON/],
  ['foreign.json', '{"name": "convoy", "version": "0.1.0"}', /no result of Convoy; convoy bench --json/],
  ['list.json', '[1, 2]', /no result of Convoy/],
  ['null.json', 'null', /no result of Convoy/],
  ['newer.json', '{"format": "convoy-result", "version": 99}', /version 99, and this Convoy reads version 1/],
  ['part.json', JSON.stringify({ ...result, seed: 'seven', cells: [{}] }), /not whole:[\s\S]*seed[\s\S]*convoy schema/],
])('%s is refused by name, with what to do', async (name, content, message) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  const refusal = await readResult(path).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UsageError);
  expect(String(refusal)).toContain(path);
  expect(String(refusal)).toMatch(message);
  expect(String(refusal).split('\n').length).toBeLessThan(10);
});

it.each([
  ['nowhere.json', /there is no file/],
  ['folder.json', /is a folder/],
])('%s is refused too', async (name, message) => {
  await expect(readResult(join(folder, name))).rejects.toThrow(message);
});
