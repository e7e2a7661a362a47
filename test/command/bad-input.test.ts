/** Bad input is refused before anything starts, with what would be right and exit code 64. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { convoy } from './convoy.ts';
import { runHere } from './run-here.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-bad-input-'));
  writeFileSync(join(folder, 'broken.mjs'), 'export default { name: "broken" };');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('is refused:', () => {
  it.each([
    [['--policy', 'py33'], /no policy «py33»; there are py27, py32/],
    [['--policy', ''], /--policy needs a name/],
    [['--server', 'threaded'], /no server «threaded»; there are .*blocking/],
    [['--scenario', 'busy'], /no scenario «busy»; there are unloaded, loaded/],
    [['--scenario', 'gui,loaded'], /gui is a run by itself/],
    [['--messages', '0'], /--messages is a whole number from 1 to 10000000, not «0»/],
    [['--messages', 'many'], /--messages is a whole number/],
    [['--rounds', '-1'], /--rounds is a whole number from 1/],
    [['--delay', '1'], /--delay is a duration with its unit/],
    [['--delay', '2h'], /--delay is a duration/],
    [['--size', '8 kilobytes'], /--size is a size/],
    [['--size', '128MiB'], /--size 128MiB is more than --max-message 64MiB/],
    [['--budget', '1ns'], /--budget is a duration .* from 10ms/],
    [['--port', '65536'], /--port is a whole number from 0 to 65535/],
    [['--host', 'localhost'], /--host is an IPv4 address/],
    [['--host', '203.0.113.1'], /cannot listen on 203\.0\.113\.1/],
    [['--spinners', '0'], /--spinners is a whole number from 1/],
    [['--spinner-kind', 'sort'], /no spinner-kind «sort»; there are fib, native, releasing/],
    [['--seed', 'x'], /--seed is a whole number/],
    [['--messages', '5', '--messages', '6'], /--messages is given more than once/],
    [['--mesages', '5'], /Unknown argument/],
    [['measure'], /Unknown argument: measure/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runHere(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('convoy --help');
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });

  // A policy file is read by a process of its own.
  it.each([
    ['not whole', 'broken.mjs', /is not whole:[\s\S]*rules/],
    ['not there', 'nowhere.mjs', /there is no file/],
  ])('a policy file that is %s', async (_, name, message) => {
    const { code, stderr } = await convoy('--policy', join(folder, name));
    expect(stderr).toMatch(message);
    expect(code).toBe(EXIT.usage);
  });

  it('a result path that cannot be written', async () => {
    const { code, stderr } = await runHere('--json', join(folder, 'broken.mjs', 'result.json'));
    expect(stderr).toMatch(/--json: .* cannot be written/);
    expect(code).toBe(EXIT.usage);
  });

  it('a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { code, stderr } = await runHere('--port', `${port}`);
    taken.close();
    expect(stderr).toMatch(/port \d+: it is taken; choose another --port/);
    expect(code).toBe(EXIT.usage);
  });
});
