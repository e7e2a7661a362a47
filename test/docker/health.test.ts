/** The image's health check, run as the engine would run it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bench/exit-codes.ts';
import { Convoy } from '../command/convoy.ts';
import { CONTROL_PORT, read } from './files.ts';

/** @returns its exit code */
async function check(port: number): Promise<number> {
  const [healthcheck] = DockerfileParser.parse(read('docker/Dockerfile')).getHEALTHCHECKs();
  const [, written = ''] = /^CMD (\[.*\])$/s.exec(healthcheck?.getRawArgumentsContent() ?? '') ?? [];
  const [program = '', ...args] = (JSON.parse(written) as string[]).map((each) =>
    each.replace(`/dev/tcp/127.0.0.1/${CONTROL_PORT}`, `/dev/tcp/127.0.0.1/${port}`),
  );
  const [code] = (await once(spawn(program, args, { stdio: 'ignore' }), 'exit')) as [number];
  return code;
}

it('is healthy while the server answers, not when it hangs, and not when it is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-health-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const token = join(folder, 'token');
  writeFileSync(token, 'sixteen characters at least');
  const server = new Convoy('serve', '--control', '127.0.0.1:0', '--token-file', token);
  onTestFinished(() => void server.process.kill('SIGKILL'));
  await server.until(() => / port \d+/.test(server.stdout));
  const port = Number(/ port (\d+)/.exec(server.stdout)?.[1]);
  expect(await check(port)).toBe(0);
  server.process.kill('SIGSTOP');
  expect(await check(port)).not.toBe(0);
  server.process.kill('SIGCONT');
  expect(await check(port)).toBe(0);
  server.process.kill('SIGTERM');
  expect(await server.finished()).toMatchObject({ code: EXIT.ok });
  expect(await check(port)).not.toBe(0);
});
