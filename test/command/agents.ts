/** Agents for tests of `bench --connect`. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, resultSchema } from '../../bench/result/result.ts';
import { Convoy } from './convoy.ts';

/** A file with a token that nobody else has. */
export function tokenIn(folder: string, name = 'token'): string {
  const path = join(folder, name);
  writeFileSync(path, `${randomBytes(32).toString('base64')}\n`);
  return path;
}

/** An agent that waits for a controller. */
export interface RunningAgent {
  readonly run: Convoy;
  readonly port: number;
}

/**
 * Starts an agent.
 *
 * @param where arguments that say in which network namespace, or none
 * @param args after `serve`
 */
export async function startAgent(where: readonly string[], ...args: readonly string[]): Promise<RunningAgent> {
  const run = new Convoy(...where, 'serve', ...args);
  await run.until(() => /waits for a controller on \S+ port \d+\n/.test(run.stdout));
  return { run, port: Number(/port (\d+)/.exec(run.stdout)?.[1]) };
}

/** Arguments of a run whose servers are that agent's. */
export function controllerOf({ port }: RunningAgent, tokenFile: string): string[] {
  return ['bench', '--connect', `127.0.0.1:${port}`, '--token-file', tokenFile];
}

export function readResult(path: string): Result {
  return resultSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** Processes that the agent has started. */
export function serversOf({ run }: RunningAgent): number[] {
  return run.processes('server');
}

/** Tells an agent to end. Returns its exit code. */
export async function stopAgent({ run }: RunningAgent): Promise<number | null> {
  run.process.kill('SIGTERM');
  return (await run.finished()).code;
}
