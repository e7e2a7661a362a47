import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../bench/exit-codes.ts';
import { gatherOptions } from '../../../bench/options/sources.ts';

const KNOWN = ['messages', 'policy', 'rounds', 'quiet', 'spinner-kind', 'preset', 'config', 'budget', 'delay', 'size'];
const silent = () => {};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-options-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('options come', () => {
  it('from CONVOY_ variables', () => {
    const environment = { CONVOY_MESSAGES: '50', CONVOY_SPINNER_KIND: 'native', CONVOY_QUIET: 'true', PATH: '/bin' };
    expect(gatherOptions(KNOWN, {}, environment, silent)).toEqual({
      messages: '50',
      'spinner-kind': 'native',
      quiet: true,
    });
  });

  it('from a file, whose numbers are as good as text', () => {
    const config = file('a.json', { messages: 50, policy: ['py32', 'priority'], quiet: false });
    expect(gatherOptions(KNOWN, { config }, {}, silent)).toEqual({
      messages: '50',
      policy: ['py32', 'priority'],
      quiet: false,
    });
  });

  it('from a preset', () => {
    expect(gatherOptions([], { preset: 'talk' }, {}, silent)).toMatchObject({
      messages: '10000',
      size: '8KiB',
      delay: '1ms',
    });
  });

  it('with precedence: environment, file, preset', () => {
    const config = file('b.json', { messages: 50, rounds: 2, preset: 'talk' });
    const environment = { CONVOY_ROUNDS: '5', CONVOY_CONFIG: config };
    expect(gatherOptions(KNOWN, {}, environment, silent)).toMatchObject({ messages: '50', rounds: '5', size: '8KiB' });
  });
});

describe('what is not an option', () => {
  it('may stand beside a token, which is none', () => {
    const warnings: string[] = [];
    expect(
      gatherOptions(KNOWN, {}, { CONVOY_TOKEN: 'a secret', CONVOY_MESSAGES: '50' }, (line) => warnings.push(line)),
    ).toEqual({
      messages: '50',
    });
    expect(warnings).toEqual([]);
  });

  it('in the environment is said, and ignored: the variable may be somebody else’s', () => {
    const said: string[] = [];
    expect(gatherOptions(KNOWN, {}, { CONVOY_MESAGES: '5' }, (message) => said.push(message))).toEqual({});
    expect(said).toEqual([expect.stringContaining('CONVOY_MESAGES')]);
  });

  it.each([
    ['unknown.json', { mesages: 5 }, /no option mesages; there are messages/],
    ['nested.json', { messages: { a: 1 } }, /options and their values/],
    ['list.json', [1], /options and their values/],
    ['cut.json', '{"messages":', /JSON/],
    ['itself.json', { config: 'other.json' }, /no option config/],
  ])('in a file is refused: %s', (name, content, message) => {
    const config = file(name, content);
    expect(() => gatherOptions(KNOWN, { config }, {}, silent)).toThrow(UsageError);
    expect(() => gatherOptions(KNOWN, { config }, {}, silent)).toThrow(message);
    expect(() => gatherOptions(KNOWN, { config }, {}, silent)).toThrow(config);
  });

  it('as a file or a preset is refused', () => {
    expect(() => gatherOptions(KNOWN, { config: '/nowhere.json' }, {}, silent)).toThrow(/nowhere\.json/);
    expect(() => gatherOptions(KNOWN, { preset: 'lecture' }, {}, silent)).toThrow(
      /no preset «lecture»; there are talk/,
    );
    expect(() => gatherOptions(KNOWN, { preset: 'toString' }, {}, silent)).toThrow(/no preset/);
  });
});
