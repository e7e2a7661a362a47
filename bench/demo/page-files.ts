/** The files of the page: what is written as it is served, and what is compiled. All of them are read once, at the start. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

const COMPILED = join(import.meta.dirname, 'page');
/** Beside the sources: `tsc` copies nothing. */
const WRITTEN = existsSync(join(COMPILED, 'index.html'))
  ? COMPILED
  : resolve(import.meta.dirname, '../../../bench/demo/page');

/** @returns by name; of a name that is not among them nothing is served */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const folder of [WRITTEN, COMPILED]) {
    for (const name of await readdir(folder)) {
      const type = TYPES[extname(name)];
      if (type !== undefined) files.set(name, { type, body: await readFile(join(folder, name)) });
    }
  }
  return files;
}
