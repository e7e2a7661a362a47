import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPolicy } from '../../lock/load-policy.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';

describe('a built-in policy', () => {
  it.each(Object.keys(POLICIES))('%s is found by its name, whole, and calls itself so', async (name) => {
    const spec = await readPolicySpec(name);
    expect(spec.label).toBe(name);
    expect((await loadPolicy(spec)).name).toBe(name);
  });

  it('takes options in parentheses, and its label says those that differ from the default', async () => {
    const spec = await readPolicySpec('py32(interval=1ms)');
    expect(spec).toMatchObject({ label: 'py32(interval=1ms)', options: { interval: 1_000_000 } });
    expect((await readPolicySpec('py32(interval=5ms)')).label).toBe('py32');
  });

  it('takes how it is used in the same parentheses', async () => {
    const spec = await readPolicySpec('priority(spinner-priority=0,interval=1ms,keep-lock-on=nonblocking)');
    expect(spec).toMatchObject({ spinnerPriority: 0, keepLockOn: 'nonblocking', options: { interval: 1_000_000 } });
    expect(spec.label).toBe('priority(interval=1ms,spinner-priority=0,keep-lock-on=nonblocking)');
  });

  it('reads its own label back as the same policy', async () => {
    const spec = await readPolicySpec('py27(check=50,keep-lock-on=nonblocking,interpreter-cost=2us,tick=12.5ns)');
    expect(spec).toMatchObject({ interpreterCostNs: 2_000, tickNs: 12.5, options: { check: 50 } });
    expect(await readPolicySpec(spec.label)).toEqual(spec);
  });
});

describe('what is wrong is said, with what would be right:', () => {
  it.each([
    ['py33', /no policy «py33».*py27, py32/],
    ['py32(intervall=1ms)', /no option «intervall».*interval/],
    ['py32(interval=1)', /interval is a duration with its unit from 1us to 10s, not «1»/],
    ['py32(interval=0)', /interval is a duration/],
    ['py27(check=0)', /check is a whole number from 1/],
    ['py27(check)', /write option=value, not «check»/],
    ['py32(spinner-priority=9)', /spinner-priority is -1 to 1/],
    ['py32(keep-lock-on=all)', /keep-lock-on is nothing or nonblocking/],
    ['py32(interpreter-cost=2s)', /interpreter-cost is a duration with its unit from 0 to 1s, not «2s»/],
    ['py27(tick=0)', /tick is a duration with its unit from 1ns to 1ms, not «0»/],
    ['py32(tick=10ns)', /«py32» counts no ticks: leave tick out/],
    ['py32(interval=1ms', /write NAME or NAME\(option=value/],
    ['./no-such-file.js', /there is no file .*no-such-file\.js/],
  ])('%s', async (text, message) => {
    await expect(readPolicySpec(text)).rejects.toThrow(message);
  });
});

describe("a user's own file", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-policy-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  let files = 0;
  /** Each text in a file of its own: modules are cached by their path. */
  const policyFile = (text: string) => {
    const path = join(folder, `policy-${files++}.mjs`);
    writeFileSync(path, text);
    return path;
  };
  const mine = (changes: Readonly<Record<string, string>> = {}) => {
    const fields = {
      name: "'mine'",
      summary: "'a spin lock'",
      exclusive: 'true',
      words: "{ LOCKED: '0 free, 1 held' }",
      options: '{}',
      rules: `({ LOCKED }) => ({
        *acquire(m) { while ((yield m.compareExchange(LOCKED, 0, 1)) !== 0); },
        *release(m) { yield m.store(LOCKED, 0); },
        yieldPoint: { kind: 'never' },
      })`,
      ...changes,
    };
    return policyFile(`export default { ${Object.entries(fields).map(([name, text]) => `${name}: ${text}`)} };`);
  };

  it('is loaded by its path', async () => {
    const spec = await readPolicySpec(mine());
    expect(spec).toMatchObject({ label: 'mine', from: { kind: 'file' } });
    expect((await loadPolicy(spec)).summary).toBe('a spin lock');
  });

  it('has an option of its own where it calls it as every policy does one', async () => {
    const option = "{ tick: { kind: 'count', default: 1, min: 1, max: 9, summary: 'its own' } }";
    expect(await readPolicySpec(`${mine({ options: option })}(tick=7)`)).toMatchObject({ options: { tick: 7 } });
  });

  it.each([
    ['does not parse', () => policyFile('export default {'), /does not load/],
    ['throws while it loads', () => policyFile("throw new Error('oh no');"), /does not load: oh no/],
    ['has no default export', () => policyFile('export const policy = {};'), /must export its policy by default/],
    ['has no name', () => mine({ name: 'undefined' }), /not whole:.*[\s\S]*name/],
    ['has a name with blanks', () => mine({ name: "'my policy'" }), /lower case letters, digits and dashes/],
    ['has words without meaning', () => mine({ words: '{ LOCKED: 1 }' }), /words\.LOCKED/],
    ['has no rules', () => mine({ rules: 'undefined' }), /rules/],
    [
      'throws in rules()',
      () => mine({ rules: "() => { throw new Error('no rules'); }" }),
      /rules\(\) throws: no rules/,
    ],
    [
      'has an acquire that is no generator',
      () => mine({ rules: "() => ({ acquire() {}, *release() {}, yieldPoint: { kind: 'never' } })" }),
      /generator function[\s\S]*acquire/,
    ],
    [
      'has a yield point of no kind',
      () => mine({ rules: "() => ({ *acquire() {}, *release() {}, yieldPoint: { kind: 'always' } })" }),
      /yieldPoint/,
    ],
  ])('that %s is refused', async (_, file, message) => {
    await expect(readPolicySpec(file())).rejects.toThrow(message);
  });
});
