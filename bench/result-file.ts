/** Writing a result so that a reader never sees half of one. */
import { rename, writeFile } from 'node:fs/promises';
import type { Result } from './result.ts';

/** Replaces the file as a whole: written beside it first, then renamed. */
export async function writeResult(path: string, result: Result): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  await writeFile(beside, `${JSON.stringify(result)}\n`);
  await rename(beside, path);
}
