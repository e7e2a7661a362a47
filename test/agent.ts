/** An agent, `convoy serve --control`, for the scripts: its process, and a controller that asks it something again and again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectToAgent } from '../bench/remote/machine.ts';
import { TOKEN_VARIABLE } from '../bench/remote/token.ts';
import type { Workload } from '../bench/result.ts';
import { compiled } from './compiled.ts';

const HOST = '127.0.0.1';
const TOKEN = 'of the storm, and of nothing else';
const END_MS = 20_000;

/** Of a question whose answer is always the same: nothing is in the way of servers there. */
const WORKLOAD: Workload = {
  messages: 1,
  payloadBytes: 0,
  delayNs: 0,
  warmupMessages: 0,
  budgetNs: 1e9,
  spinners: 1,
  spinnerKind: 'fib',
  interpreterCostNs: 0,
  maxMessageBytes: 1,
  peerTimeoutNs: null,
  host: HOST,
  port: 0,
};

export async function openAgent() {
  const agent = spawn(process.execPath, [fileURLToPath(compiled('bench/main.js')), 'serve', '--control', `${HOST}:0`], {
    env: { ...process.env, [TOKEN_VARIABLE]: TOKEN },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let lost: string | undefined;
  agent.once('exit', (code, signal) => {
    lost = `the agent ended with ${signal ?? `exit code ${code}`}`;
  });
  const said = createInterface(agent.stdout);
  const [line] = await Promise.race([once(said, 'line'), once(agent, 'exit')]);
  const port = Number(/port (\d+)$/.exec(String(line))?.[1]);
  if (lost !== undefined || agent.pid === undefined) throw new Error(lost ?? 'the agent did not start');
  return {
    port,
    pid: agent.pid,
    get lost(): string | undefined {
      return lost;
    },
    async connect() {
      const machine = await connectToAgent({ host: HOST, port }, TOKEN);
      return {
        async trips(count: number): Promise<readonly number[]> {
          const rttNs: number[] = [];
          while (rttNs.length < count) {
            const askedMs = performance.now();
            const problems = await machine.problems(WORKLOAD, []);
            if (problems.length > 0) throw new Error(`the agent answered: ${problems.join('; ')}`);
            rttNs.push((performance.now() - askedMs) * 1e6);
          }
          return rttNs;
        },
        stop: () => Promise.resolve(machine.close()),
      };
    },
    /** Ends the process, which must do so by itself. Returns what went wrong. */
    async stop(): Promise<string | null> {
      if (lost !== undefined) return lost;
      const late = setTimeout(() => agent.kill('SIGKILL'), END_MS);
      agent.kill('SIGTERM');
      const [code, signal] = await once(agent, 'exit');
      clearTimeout(late);
      return code === 0 ? null : `the agent, told to end, ended with ${signal ?? `exit code ${code}`}`;
    },
  };
}
