/** A command of `convoy` that runs until it is told to end, for the scripts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compiled } from './compiled.ts';

const END_MS = 20_000;

/** Starts it, and waits for the first line it prints. */
export async function startConvoy(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [fileURLToPath(compiled('bench/main.js')), ...args], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let lost: string | undefined;
  child.once('exit', (code, signal) => {
    lost = `convoy ${args[0]} ended with ${signal ?? `exit code ${code}`}`;
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')]);
  if (lost !== undefined || child.pid === undefined) throw new Error(lost ?? `convoy ${args[0]} did not start`);
  return {
    line: String(line),
    pid: child.pid,
    /** How the process ended, if it has. */
    get lost(): string | undefined {
      return lost;
    },
    /** Ends the process, which must do so by itself. Returns what went wrong. */
    async stop(): Promise<string | null> {
      if (lost !== undefined) return lost;
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      child.kill('SIGTERM');
      const [code, signal] = await once(child, 'exit');
      clearTimeout(late);
      return code === 0 ? null : `convoy ${args[0]}, told to end, ended with ${signal ?? `exit code ${code}`}`;
    },
  };
}
