/** The Python interpreters there are, for clients nobody here wrote. */
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Looks in the path, then among the versions of pyenv, whose commands in the path answer only for the version that is chosen.
 *
 * @param command `python2.7`
 * @param modules what it must be able to import
 * @returns what runs it, or undefined if there is none
 */
export function findPython(command: string, ...modules: string[]): string | undefined {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const candidates = [command, ...list(versions).map((version) => join(versions, version, 'bin', command))];
  const program = modules.map((module) => `import ${module}`).join('\n');
  return candidates.find((python) => spawnSync(python, ['-c', program], { timeout: 10_000 }).status === 0);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws what it wrote on stderr, if its exit code is not 0
 */
export async function runPython(python: string, program: URL, ...args: (string | number)[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, [program.pathname, ...args.map(String)], { timeout: 20_000 });
  return stdout.trim();
}
