/**
 * The versions of Node that Convoy is tested under: `npm run test:nodes` fetches them. Paths are relative to the repository's root, where
 * npm runs scripts and vitest its tests.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** That of .nvmrc, the image and CI, and the later lines with long-term support. */
export const NODE_VERSIONS: readonly string[] = [readFileSync('.nvmrc', 'utf8').trim(), '22.23.3', '24.21.0'];

/** Not in the lock file: nearly 200 MB each, and for whoever wants to run them only. */
export const CACHE = resolve('.cache/nodes');

/** The package on npm that is nothing but this platform's binary. */
export const NODE_PACKAGE = `node-linux-${process.arch}`;

/** @returns the binary: the running one, if it is that version, or one that was fetched; null if there is none */
export function nodeBinary(version: string): string | null {
  if (process.version === `v${version}`) return process.execPath;
  const fetched = resolve(CACHE, version, 'node_modules', NODE_PACKAGE, 'bin/node');
  return existsSync(fetched) ? fetched : null;
}
