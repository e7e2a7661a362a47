/** An agent, `convoy serve --control`, for the scripts: its process, and a controller that asks it something again and again. */
import { connectToAgent } from '../bench/remote/machine.ts';
import { TOKEN_VARIABLE } from '../bench/remote/token.ts';
import type { Workload } from '../bench/result/result.ts';
import { startConvoy } from './running-convoy.ts';

const HOST = '127.0.0.1';
const TOKEN = 'of the storm, and of nothing else';

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
  const agent = await startConvoy(['serve', '--control', `${HOST}:0`], { [TOKEN_VARIABLE]: TOKEN });
  const port = Number(/port (\d+)$/.exec(agent.line)?.[1]);
  return Object.assign(agent, {
    port,
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
  });
}
