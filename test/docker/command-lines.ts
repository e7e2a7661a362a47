/**
 * The `convoy` command lines that files and pages in docker/ hold. They are found by running what is written there, in a world of
 * stand-ins: every other program is missing, and `docker`, `ssh` and `npx` only pass on what they would run.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { read } from './files.ts';

const STAND_INS = {
  // Arguments hold no NUL; a line of nothing but one ends a call.
  convoy: String.raw`printf '%s\0' "$@"; printf '\n\0'`,
  // docker run OPTIONS IMAGE ARGUMENTS, docker compose OPTIONS run OPTIONS SERVICE ARGUMENTS.
  docker: `
    case " $* " in *' --entrypoint '*) exit ;; *' run '*) ;; *) exit ;; esac
    for word; do
      shift
      case $word in
        'convoy '*) sh -c "$word" ;;
        convoy | convoy-server | client) exec convoy "$@" ;;
      esac
    done`,
  ssh: 'while [ $# -gt 0 ] && [ "$1" != docker ]; do shift; done; "$@"',
  npx: 'exec "$@"',
  sh: 'exec /bin/sh "$@"',
};

/**
 * Runs a script among the stand-ins.
 *
 * @param variables all of its environment but the path
 * @returns the arguments of each call of `convoy`
 */
export function callsIn(script: string, variables: Readonly<Record<string, string>> = {}): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-calls-'));
  try {
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    for (const [name, text] of Object.entries(STAND_INS)) {
      writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const { stdout } = spawnSync('/bin/sh', ['-c', script], {
      cwd: folder,
      env: { PATH: programs, ...variables },
      encoding: 'utf8',
      timeout: 10_000,
    });
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

/** The calls in the indented blocks of a page. */
export function callsInPage(path: string, variables: Readonly<Record<string, string>>): string[][] {
  const commands = read(path)
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.slice(4));
  return callsIn(commands.join('\n'), variables);
}
