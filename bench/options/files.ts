/** Files that options name to be written: refused before anything starts where they could not be. */
import { constants } from 'node:fs';
import { access, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../exit-codes.ts';
import { journalPath } from '../run/journal.ts';

/** Where the result is written in each format, absolute; null if nowhere. */
export type Outputs = Readonly<Record<'json' | 'csv' | 'markdown' | 'report' | 'trace', string | null>>;

export async function readOutputs(args: Partial<Record<keyof Outputs, string | undefined>>): Promise<Outputs> {
  const { json, csv, markdown, report, trace } = args;
  const paths = {
    json: resolved(json),
    csv: resolved(csv),
    markdown: resolved(markdown),
    report: resolved(report),
    trace: resolved(trace),
  };
  const given = Object.values(paths).filter((path) => path !== null);
  if (new Set(given).size < given.length)
    throw new UsageError('--json, --csv, --markdown, --report and --trace need a file each');
  for (const [option, path] of Object.entries(paths)) if (path !== null) await checkWritable(option, path);
  if (paths.json !== null) await checkWritable('json', journalPath(paths.json));
  return paths;
}

function resolved(path: string | undefined): string | null {
  return path === undefined ? null : resolve(path);
}

/** The absolute path of a file that an option names. Refuses one that could not be written. */
export async function writablePath(option: string, path: string): Promise<string> {
  const absolute = resolve(path);
  await checkWritable(option, absolute);
  return absolute;
}

/** Refuses a path that could not be written at the end of the run. Leaves what is there as it is. */
async function checkWritable(option: string, path: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    const there = await stat(path).catch(() => null);
    if (there === null) {
      // Beside it: a run that is killed just then must not leave an empty result.
      const beside = `${path}.${process.pid}.part`;
      await (await open(beside, 'wx')).close();
      await rm(beside);
    } else {
      // The file is replaced, not written into: a device or a pipe would be gone.
      if (!there.isFile()) throw new Error(there.isDirectory() ? 'it is a folder' : 'it is no ordinary file');
      await access(path, constants.W_OK);
    }
  } catch (error) {
    throw new UsageError(`--${option}: ${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** One folder after the other: mkdir's own `recursive` never ends where the kernel says ENOENT to a new folder, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) return;
  await makeFolder(dirname(path));
  await mkdir(path);
}
