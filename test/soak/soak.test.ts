import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SERVERS } from '../../server/servers.ts';

describe('a soak of seconds', () => {
  it('finds as many descriptors, threads and processes at its end as after its warm-up', async () => {
    const main = new URL('../../dist/test/soak/main.js', import.meta.url).pathname;
    const args = ['--expose-gc', main, '--minutes', '0.1'];
    const ended = promisify(execFile)(process.execPath, args, { timeout: 110_000 });
    // Whatever its exit code, the table says why.
    const { stdout, stderr } = await ended.catch(
      (failed: { readonly stdout: string; readonly stderr: string }) => failed,
    );
    const said = `${stdout}${stderr}`;
    expect(said, said).toContain('flat within 5 %');
    for (const name of Object.keys(SERVERS)) expect(said, said).toMatch(new RegExp(`│ ${name} +│ +\\d+`));
  });
});
