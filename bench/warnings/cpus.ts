/** Threads that keep a CPU busy, and CPUs for them: where there are too few, the operating system does part of the waiting. */
import { parseCpuList } from '../processes/cpu-list.ts';
import type { Cell, Environment, Warning, Workload } from '../result/result.ts';

/**
 * @param environment of the client's machine
 * @param serverEnvironment of the server's, where that is another
 */
export function cpuWarnings(
  cells: readonly Cell[],
  workload: Workload,
  environment: Environment,
  serverEnvironment?: Environment,
): Warning[] {
  const spinners = cells.some((cell) => cell.scenario !== 'unloaded') ? workload.spinners : 0;
  const cpuThreads = spinners === 0 ? '' : `, ${spinners} CPU`;
  if (workload.serverCpus !== undefined || workload.clientCpus !== undefined) {
    return sharedCpus(spinners, workload, environment, serverEnvironment);
  }
  const apart = serverEnvironment !== undefined;
  const busy = apart ? 1 + spinners : 2 + spinners;
  const { cpuCount } = serverEnvironment ?? environment;
  if (busy <= cpuCount) return [];
  return [
    {
      kind: 'few-cpus',
      message: `${busy} busy threads (server${apart ? '' : ', client'}${cpuThreads}) on ${cpuCount} CPUs${apart ? " of the server's machine" : ''}`,
      advice:
        apart || cpuCount >= 2
          ? 'the operating system schedules some of the waiting: compare policies, not absolute times'
          : 'the client and the server take turns: run it on two CPUs or more',
    },
  ];
}

/** Says who must share, if anybody must: by Hall's theorem some set of threads then has fewer CPUs than threads. */
function sharedCpus(
  spinners: number,
  workload: Workload,
  environment: Environment,
  serverEnvironment: Environment | undefined,
): Warning[] {
  const { serverCpus = (serverEnvironment ?? environment).cpus, clientCpus = environment.cpus } = workload;
  const ofServer = parseCpuList(serverCpus) ?? [];
  const ofClient = parseCpuList(clientCpus) ?? [];
  const cpuThreads = spinners === 0 ? '' : spinners === 1 ? ' and the CPU thread' : ` and ${spinners} CPU threads`;
  const advice =
    'the operating system then decides, too, who runs: compare policies, not absolute times, or give them more CPUs';
  if (1 + spinners > ofServer.length) {
    return [{ kind: 'shared-cpus', message: `the server${cpuThreads} must share CPU ${serverCpus}`, advice }];
  }
  const all = new Set([...ofServer, ...ofClient]);
  if (serverEnvironment !== undefined || 2 + spinners <= all.size) return [];
  const message = `the client, on CPU ${clientCpus}, must share with the server${cpuThreads}, on CPU ${serverCpus}`;
  return [{ kind: 'shared-cpus', message, advice }];
}
