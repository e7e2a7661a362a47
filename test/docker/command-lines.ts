/** The command lines that files in docker/ hold, as `convoy` would get them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What a shell makes of a script that runs `convoy`: it is really run, with a program in convoy's place that says how it was called.
 *
 * @param variables the environment
 * @returns the arguments of each call
 * @throws Error if the script fails
 */
export function callsIn(script: string, variables: Readonly<Record<string, string>> = {}): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-calls-'));
  try {
    // Arguments hold no NUL; a line of nothing but one ends a call.
    writeFileSync(join(folder, 'convoy'), '#!/bin/sh\nprintf "%s\\0" "$@"\nprintf "\\n\\0"\n', { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], {
      env: { PATH: `${folder}:${process.env['PATH']}`, ...variables },
      encoding: 'utf8',
      timeout: 10_000,
    });
    if (status !== 0) throw new Error(`${script}\nfailed: ${stderr}`);
    return stdout
      .split('\n\0')
      .slice(0, -1)
      .map((call) => call.split('\0').slice(0, -1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * How a container calls `convoy`.
 *
 * @param command its entry point with the arguments; the image's own, if it starts with none
 */
export function callOf(command: readonly string[], variables: Readonly<Record<string, string>> = {}): string[] {
  const [first, second, ...rest] = command;
  if (first === 'tini' && second === '--') return callOf(rest, variables);
  if (first === 'sh' && second === '-c') return callsIn(rest[0] ?? '', variables)[0] ?? [];
  return [...command];
}
