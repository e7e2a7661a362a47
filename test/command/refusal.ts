/** What the command says to a line that it refuses: read here, since nothing of it is started and so no process of its own is needed. */
import { vi } from 'vitest';
import { runCommandLine } from '../../bench/command-line.ts';
import type { Finished } from './convoy.ts';

/** Reads a command line in this process. */
export async function refusal(...args: string[]): Promise<Finished> {
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
