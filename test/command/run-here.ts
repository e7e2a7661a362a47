/** Command lines that start no process or thread, run in this process: that of a command takes longer to start than they do. */
import { vi } from 'vitest';
import { runCommandLine } from '../../bench/command-line.ts';
import type { Finished } from './convoy.ts';

/** Runs a command line in this process. */
export async function runHere(...args: string[]): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += text;
      return true;
    }),
  );
  try {
    return { code: await runCommandLine(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
