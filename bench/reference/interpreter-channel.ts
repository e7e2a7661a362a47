/** An interpreter as a child of the bench: started on `echo_servers.py`, spoken to in lines of JSON. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { replySchema } from '../../net/commands.ts';
import type { Channel } from '../processes/child.ts';
import { ECHO_SERVERS } from './interpreter.ts';

/**
 * Starts it.
 *
 * @param path of the interpreter
 * @param lockCounter the library that counts its lock, preloaded; null if there is none
 */
export function interpreterChannel(path: string, lockCounter: string | null): Channel {
  const counting = lockCounter === null ? {} : { LD_PRELOAD: preloaded(lockCounter), CONVOY_LOCK_COUNTER: '1' };
  const child = spawn(path, [ECHO_SERVERS], {
    // A process group of its own: Ctrl-C reaches the bench alone, which then tells its processes.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...counting },
  });
  // What is written to a process that has just ended: its exit event says so.
  child.stdin.on('error', () => {});
  return {
    process: child,
    send: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
    onMessage: (hear) =>
      createInterface(child.stdout).on('line', (line) => {
        const reply = readReply(line);
        if (reply !== null) hear(reply);
      }),
  };
}

/** Before what is preloaded already. */
function preloaded(library: string): string {
  return [library, process.env['LD_PRELOAD'] ?? ''].join(' ').trim();
}

/** Null of a line that is none: what the start-up files of an interpreter print is no concern of ours. */
function readReply(line: string): unknown {
  try {
    return replySchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
