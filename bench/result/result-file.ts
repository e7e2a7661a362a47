/** Result files, written so that a reader never sees half of one, and read so that anything else is refused by name. */
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UsageError } from '../exit-codes.ts';
import { RESULT_VERSION, type Result, resultSchema } from './result.ts';

/** What any version of a result says of itself. */
const markSchema = z.object({ format: z.literal('convoy-result'), version: z.number() });

/** The first lines of a long list of what is wrong are enough. */
const SHOWN_ISSUES = 6;

export async function writeResult(path: string, result: Result): Promise<void> {
  await writeWhole(path, `${JSON.stringify(result)}\n`);
}

/**
 * Replaces a file as a whole: written beside it first, to the disk, then renamed. Whatever goes wrong, or ends the process, the file is
 * the one before or the new one.
 */
export async function writeWhole(path: string, text: string | Iterable<string>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    const file = await open(beside, 'w');
    try {
      await writeFile(file, text);
      // Before the rename: a name on the disk must not come before what it names.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Writes, where a failure must not cost what else there is to do.
 *
 * @returns why it could not be done, for the user; null if it was
 */
export async function whyNotWritten(path: string, write: () => Promise<unknown>): Promise<string | null> {
  try {
    await write();
    return null;
  } catch (error) {
    return `${path} could not be written: ${error instanceof Error ? error.message : error}`;
  }
}

/**
 * Reads a result.
 *
 * @throws UsageError which names the file, what is wrong with it and what to do
 */
export async function readResult(path: string): Promise<Result> {
  const value = parseJson(path, await readText(path));
  const mark = markSchema.safeParse(value);
  if (!mark.success)
    throw new UsageError(`${path} is JSON, but no result of Convoy; convoy bench --json FILE writes one`);
  const { version } = mark.data;
  if (version !== RESULT_VERSION) {
    throw new UsageError(
      `${path} is a result of version ${version}, and this Convoy reads version ${RESULT_VERSION}: read it with the Convoy that wrote it, or measure again`,
    );
  }
  const result = resultSchema.safeParse(value);
  if (!result.success) {
    const issues = z.prettifyError(result.error).split('\n');
    throw new UsageError(
      `${path} says that it is a result, but is not whole:\n${issues.slice(0, SHOWN_ISSUES).join('\n')}\nMeasure again, or see convoy schema`,
    );
  }
  return result.data;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new UsageError(`there is no file ${path}`);
    if (code === 'EISDIR') throw new UsageError(`${path} is a folder; name a result file in it`);
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function parseJson(path: string, text: string): unknown {
  if (text.trim() === '') throw new UsageError(`${path} is empty; convoy bench --json FILE writes a result`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} is no JSON, or was cut off (${why}): copy it again, or measure again`);
  }
}
