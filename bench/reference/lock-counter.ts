/**
 * The counter of the interpreters' locks, `lock_counter.c`, compiled where there is a compiler. Without one the interpreters are
 * measured all the same; what their locks did is then not known, and not zero.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LOCK_COUNTER_SOURCE } from './interpreter.ts';

const COMPILE_TIMEOUT_MS = 60_000;

/**
 * Compiles it, for the time of `use`.
 *
 * @param use is given the path of the library to preload; null if it does not compile here
 */
export async function withLockCounter<Result>(use: (library: string | null) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'convoy-lock-counter-'));
  try {
    return await use(await compile(join(folder, 'lock_counter.so')));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compile(library: string): Promise<string | null> {
  const options = ['-O2', '-shared', '-fPIC', '-pthread', '-o', library, LOCK_COUNTER_SOURCE, '-ldl'];
  try {
    await promisify(execFile)('cc', options, { timeout: COMPILE_TIMEOUT_MS });
    return library;
  } catch {
    return null;
  }
}
