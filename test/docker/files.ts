/** The files in docker/, read as their tools read them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const ROOT = resolve(import.meta.dirname, '../..');

/** As in the talk, and the port beside it. */
export const ECHO_PORT = 25_000;
export const CONTROL_PORT = 25_001;

/** @param path from the repository's root */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/**
 * @param path from the repository's root
 * @returns the documents of a YAML file
 * @throws Error for what a parser only warns of, too: a key given twice, an unknown tag
 */
export function readYaml(path: string): unknown[] {
  return parseAllDocuments(read(path), { merge: true, strict: true, uniqueKeys: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
    return document.toJS();
  });
}

/** What `npm pack` packs: all that the image has of the repository. */
export function packedFiles(): string[] {
  const said = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(said) as [{ files: { path: string }[] }];
  return packed.files.map(({ path }) => path);
}
