import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../bench/exit-codes.ts';
import { Journal, type JournalHeader, journalPath, readJournal, refuseOtherRun } from '../../../bench/run/journal.ts';
import type { PlannedRound } from '../../../bench/run/plan.ts';
import { readPolicySpec } from '../../../lock/policy-spec.ts';
import { ENVIRONMENT, measured, WORKLOAD } from '../result-builder.ts';

const py32 = await readPolicySpec('py32');
const { loadAfter: _, stolenShare: __, ...environment } = ENVIRONMENT;
const HEADER: JournalHeader = {
  format: 'convoy-journal',
  version: 1,
  given: { messages: '4', seed: '7' },
  plan: { servers: ['blocking'], policies: [py32], scenarios: ['loaded'], rounds: 3, seed: 7, workload: WORKLOAD },
  sources: {},
  environment,
  leafNs: 150,
};
const step = (round: number): PlannedRound => ({
  round,
  cell: { server: 'blocking', policy: py32, scenario: 'loaded' },
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-journal-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A journal of so many rounds, beside a result file of this name. */
async function written(name: string, rounds: number): Promise<string> {
  const result = join(folder, name);
  const journal = await Journal.begin(result, HEADER, () => {});
  for (let round = 1; round <= rounds; round++) await journal.append(step(round), measured({ round }));
  await journal.close();
  return result;
}

describe('a journal', () => {
  it('is read as it was written', async () => {
    const { header, entries } = await readJournal(await written('whole.json', 2));
    expect(header).toEqual(HEADER);
    expect(entries).toEqual(
      [1, 2].map((round) => ({
        server: 'blocking',
        policy: 'py32',
        scenario: 'loaded',
        round: measured({ round }),
      })),
    );
  });

  it.each([1, 10, 500])(
    'does without a last line of which %i bytes were written, and goes on in its place',
    async (n) => {
      const result = await written(`cut-${n}.json`, 1);
      const line = JSON.stringify({ server: 'blocking', policy: 'py32', scenario: 'loaded', round: measured() });
      appendFileSync(journalPath(result), line.slice(0, n));
      const found = await readJournal(result);
      expect(found.entries).toHaveLength(1);
      const journal = await Journal.resume(found);
      await journal.append(step(2), measured({ round: 2 }));
      await journal.close();
      expect((await readJournal(result)).entries.map(({ round }) => round.round)).toEqual([1, 2]);
    },
  );

  it('of an unfinished run is put aside by a new one, and said to be', async () => {
    const result = await written('again.json', 2);
    const unfinished = readFileSync(journalPath(result), 'utf8');
    let aside = '';
    await (await Journal.begin(result, HEADER, (path) => (aside = path))).close();
    expect(readFileSync(aside, 'utf8')).toBe(unfinished);
  });

  it('is gone when the run was measured to its end', async () => {
    const result = join(folder, 'ended.json');
    const journal = await Journal.begin(result, HEADER, () => {});
    await journal.append(step(1), measured());
    await journal.remove();
    expect(existsSync(journalPath(result))).toBe(false);
  });
});

describe('is refused, and says why:', () => {
  it.each([
    ['no journal', null, /there is no .*a run that was measured to its end leaves none/],
    ['an empty one', '', /is no journal of convoy bench, or was cut off in its first line/],
    ['one cut off in its first line', JSON.stringify(HEADER).slice(0, 80), /cut off in its first line/],
    ['another file', '{"name": "convoy"}\n', /is no journal/],
    ['a newer one', '{"format": "convoy-journal", "version": 99}\n', /version 99, and this Convoy reads version 1/],
    ['one with a line that is none', `${JSON.stringify(HEADER)}\n{"server": 1}\n`, /line 2 of .* is damaged/],
  ])('%s', async (name, text, message) => {
    const result = join(folder, `${name}.json`);
    if (text !== null) writeFileSync(journalPath(result), text);
    const refusal = await readJournal(result).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect(String(refusal)).toMatch(message);
  });

  it.each([
    ['other rounds', { plan: { ...HEADER.plan, rounds: 5 } }, /rounds: 3 there, 5 here/],
    ['another order', { plan: { ...HEADER.plan, seed: 8 } }, /seed: 7 there, 8 here/],
    ['other servers', { plan: { ...HEADER.plan, servers: ['native'] } }, /servers: \["blocking"\] there, \["native"\]/],
    [
      'another workload',
      { plan: { ...HEADER.plan, workload: { ...WORKLOAD, messages: 5 } } },
      /messages: 4 there, 5 here/,
    ],
    ['another machine', { environment: { ...environment, cpu: 'Another' } }, /cpu: "A CPU" there, "Another" here/],
    [
      'its servers on another machine',
      { serverEnvironment: { ...environment, cpu: 'Theirs' } },
      /the server's cpu: none there, "Theirs" here/,
    ],
    ['a policy that was changed', { sources: { mine: 'abc' } }, /mine: none there, "abc" here \(SHA-256 of its file\)/],
    ['another program', { environment: { ...environment, revision: 'abc' } }, /revision: null there, "abc" here/],
  ])('a run with %s', async (name, changes, message) => {
    const found = await readJournal(await written(`${name}.json`, 1));
    expect(() => refuseOtherRun(found, { ...HEADER, ...changes })).toThrow(message);
    refuseOtherRun(found, HEADER);
  });
});
